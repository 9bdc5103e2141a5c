"use strict";
const { join } = require("node:path");

module.exports = {
  // By its whole path: mocha finds this file from folders below, too.
  require: [join(__dirname, "local", "typescript.cjs")],
  // Against a test that hangs. Not a measure of speed: that depends on the machine, and stands in bench/.
  timeout: 900_000,
  exit: true,
};
