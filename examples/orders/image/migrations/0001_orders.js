exports.up = (pgm) => {
  pgm.createTable("orders", {
    id: { type: "text", primaryKey: true },
    email: { type: "text", notNull: true },
    placed_at: { type: "timestamptz", notNull: true, default: pgm.func("now()") },
    packed_at: { type: "timestamptz" },
  });
  pgm.createTable("parcels", {
    id: { type: "bigint", primaryKey: true, sequenceGenerated: { precedence: "ALWAYS" } },
    order_id: { type: "text", notNull: true, references: "orders" },
    packed_by: { type: "text", notNull: true },
  });
};

exports.down = (pgm) => {
  pgm.dropTable("parcels");
  pgm.dropTable("orders");
};
