import { json, Router } from "express";
import { z } from "zod";
import type { WriteFreeze } from "./readOnly";
import { newUser, userId, type Users } from "./users";

const userParams = z.object({ id: userId });

export function userRoutes(users: Users, freeze: WriteFreeze): Router {
  const router = Router();

  router.get("/api/users/:id", async (request, response) => {
    const { id } = userParams.parse(request.params);
    const found = await users.find(id);
    if (found === undefined)
      response.status(404).json({ error: "user_not_found", message: `There is no user with the id ${id}` });
    else response.json(found);
  });

  router.post("/api/users", json({ limit: "64kb" }), async (request, response) => {
    const wanted = newUser.parse(request.body);
    await freeze.pass();
    const created = await users.create(wanted);
    if (created === undefined)
      response.status(409).json({ error: "user_exists", message: `There already is a user ${wanted.id}` });
    else response.status(201).location(`/api/users/${created.id}`).json(created);
  });

  return router;
}
