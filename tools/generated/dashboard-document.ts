import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as grafana from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { Dashboard, Panel, Variable } from '@tapline/monitoring';

const columns = 24;
const panelHeight = 8;
const source = { type: 'prometheus', uid: '${source}' };

/** A dashboard as Grafana 10 and later import it; the Prometheus is chosen at its top. */
export function dashboardDocument(dashboard: Dashboard): grafana.Dashboard {
  const { uid, title, description, variables, panels } = dashboard;
  const link = new grafana.DashboardLinkBuilder('Tapline')
    .type(grafana.DashboardLinkType.Dashboards)
    .tags(['tapline'])
    .asDropdown(true)
    .keepTime(true);
  const builder = new grafana.DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['tapline'])
    .readonly()
    .timezone('browser')
    .refresh('30s')
    .time({ from: 'now-6h', to: 'now' })
    .link(link)
    .withVariable(
      new grafana.DatasourceVariableBuilder('source').label('Prometheus').type('prometheus'),
    );
  for (const variable of variables) builder.withVariable(variableBuilder(variable));
  const places = layOut(panels);
  for (const [at, panel] of panels.entries()) {
    const place = places[at] ?? { x: 0, y: 0 };
    const gridPos = { ...place, w: widthOf(panel), h: panelHeight };
    builder.withPanel(
      panelBuilder(panel)
        .id(at + 1)
        .gridPos(gridPos),
    );
  }
  return builder.build();
}

function variableBuilder({ name, label, metric }: Variable): grafana.QueryVariableBuilder {
  return new grafana.QueryVariableBuilder(name)
    .label(label)
    .datasource(source)
    .query({ query: `label_values(${metric}, ${name})`, refId: 'values' })
    .refresh(grafana.VariableRefresh.OnTimeRangeChanged)
    .includeAll(true)
    .multi(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' });
}

function panelBuilder(panel: Panel) {
  const builder = visualisation(panel.kind)
    .title(panel.title)
    .description(panel.description)
    .datasource(source)
    .unit(panel.unit)
    .min(0);
  for (const [at, { expr, legend }] of panel.queries.entries()) {
    const query = new prometheus.DataqueryBuilder()
      .refId(String.fromCodePoint(65 + at))
      .datasource(source)
      .expr(expr)
      .legendFormat(legend);
    if (panel.kind === 'timeseries') query.range().exemplar(true);
    else query.instant();
    if (panel.kind === 'table') query.format(prometheus.PromQueryFormat.Table);
    builder.withTarget(query);
  }
  return builder;
}

function visualisation(kind: Panel['kind']) {
  const newest = new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']);
  switch (kind) {
    case 'timeseries':
      return new timeseries.PanelBuilder().legend(
        new common.VizLegendOptionsBuilder()
          .displayMode(common.LegendDisplayMode.Table)
          .placement(common.LegendPlacement.Bottom)
          .calcs(['lastNotNull', 'max']),
      );
    case 'stat':
      return new stat.PanelBuilder()
        .reduceOptions(newest)
        .orientation(common.VizOrientation.Horizontal);
    case 'bargauge':
      return new bargauge.PanelBuilder()
        .reduceOptions(newest)
        .orientation(common.VizOrientation.Horizontal);
    case 'table':
      return new table.PanelBuilder();
  }
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
