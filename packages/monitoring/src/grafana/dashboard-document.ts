import type { Dashboard, Panel, Variable } from './panel.ts';

const columns = 24;
const panelHeight = 8;
const source = { type: 'prometheus', uid: '${source}' };

/** A dashboard as Grafana 10 and later import it; the Prometheus is chosen at its top. */
export function dashboardDocument(dashboard: Dashboard): unknown {
  const { uid, title, description, variables, panels } = dashboard;
  const places = layOut(panels);
  return {
    uid,
    title,
    description,
    tags: ['tapline'],
    schemaVersion: 39,
    editable: false,
    timezone: 'browser',
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    links: [
      { type: 'dashboards', title: 'Tapline', tags: ['tapline'], asDropdown: true, keepTime: true },
    ],
    templating: {
      list: [
        { name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
        ...variables.map(variableDocument),
      ],
    },
    panels: panels.map((panel, at) => panelDocument(panel, { id: at + 1, ...places[at] })),
  };
}

function variableDocument({ name, label, metric }: Variable): unknown {
  return {
    name,
    label,
    type: 'query',
    datasource: source,
    query: { query: `label_values(${metric}, ${name})`, refId: 'values' },
    refresh: 2,
    includeAll: true,
    multi: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}

function panelDocument(
  panel: Panel,
  place: { readonly id: number; readonly x?: number; readonly y?: number },
): unknown {
  const { kind, title, description, unit, queries } = panel;
  const isOne = kind !== 'timeseries';
  return {
    id: place.id,
    type: kind,
    title,
    description,
    datasource: source,
    gridPos: { x: place.x, y: place.y, w: widthOf(panel), h: panelHeight },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    ...(kind === 'timeseries' && {
      options: {
        legend: { displayMode: 'table', placement: 'bottom', calcs: ['lastNotNull', 'max'] },
      },
    }),
    ...((kind === 'stat' || kind === 'bargauge') && {
      options: { reduceOptions: { calcs: ['lastNotNull'] }, orientation: 'horizontal' },
    }),
    targets: queries.map(({ expr, legend }, at) => ({
      refId: String.fromCharCode(65 + at),
      datasource: source,
      expr,
      legendFormat: legend,
      ...(isOne && { instant: true }),
      ...(kind === 'table' && { format: 'table' }),
    })),
  };
}

/** Rows from the left, as many panels as fit. */
function layOut(panels: readonly Panel[]): readonly { readonly x: number; readonly y: number }[] {
  let x = 0;
  let y = 0;
  return panels.map((panel) => {
    const width = widthOf(panel);
    if (x + width > columns) {
      x = 0;
      y += panelHeight;
    }
    const place = { x, y };
    x += width;
    return place;
  });
}

function widthOf({ width = 12 }: Panel): number {
  return width;
}
