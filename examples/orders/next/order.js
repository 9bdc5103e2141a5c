/** With the column of 0002_channel.js. The version before continues writing orders without it. */
exports.insert = "INSERT INTO orders (id, email, channel) VALUES ($1, $2, $3)";
exports.select = "SELECT id, email, channel FROM orders WHERE id = $1";
exports.valuesOf = ({ id, email, channel = "web" }) => [id, email, channel];
