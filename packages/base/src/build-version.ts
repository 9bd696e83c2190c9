/** The version of Tapline: every program's `version`, User-Agent and `tapline_build_info`. */
export const buildVersion = '0.1.0';
