/** What this version knows of an order. That of the next version is in ../next. */
exports.insert = "INSERT INTO orders (id, email) VALUES ($1, $2)";
exports.select = "SELECT id, email FROM orders WHERE id = $1";
exports.valuesOf = ({ id, email }) => [id, email];
