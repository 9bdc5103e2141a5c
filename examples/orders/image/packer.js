/** The worker: packs orders, each once, one at a time. A lost database ends it, and Kubernetes starts it again. */
const { setTimeout: pause } = require("node:timers/promises");
const { Client } = require("pg");

/** All of it or nothing: an order that a killed worker had taken is free again. */
const pack = `
  WITH taken AS (
    SELECT id FROM orders WHERE packed_at IS NULL ORDER BY placed_at LIMIT 1 FOR UPDATE SKIP LOCKED
  ), packed AS (
    UPDATE orders SET packed_at = now() FROM taken WHERE orders.id = taken.id RETURNING orders.id
  )
  INSERT INTO parcels (order_id, packed_by) SELECT id, $1 FROM packed`;

let isOver = false;
process.on("SIGTERM", () => {
  isOver = true;
});

async function work() {
  const client = new Client({ connectionString: process.env.DATABASE_URL });
  await client.connect();
  while (!isOver) {
    const { rowCount } = await client.query(pack, [process.env.APP_VERSION]);
    if (rowCount === 0) await pause(50);
  }
  await client.end();
}

void work();
