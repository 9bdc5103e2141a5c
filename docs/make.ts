/** `npm run docs`: what is written from the settings' own descriptions. */
import { writeFile } from "node:fs/promises";
import { argsFile, argsText } from "./argsText";

void writeFile(argsFile, argsText());
