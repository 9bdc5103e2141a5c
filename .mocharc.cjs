"use strict";
const { join } = require("node:path");

module.exports = {
  // By its whole path: mocha finds this file from folders below, too.
  require: [join(__dirname, "local", "typescript.cjs")],
  timeout: 60000,
  exit: true,
};
