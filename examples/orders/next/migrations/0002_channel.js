/** A default, so that the version before can write orders beside this one. */
exports.up = (pgm) => {
  pgm.addColumn("orders", { channel: { type: "text", notNull: true, default: "unknown" } });
};

exports.down = (pgm) => {
  pgm.dropColumn("orders", "channel");
};
