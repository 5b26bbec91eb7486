import { matrix } from "../../matrix/matrix.js";
import { thin } from "../support/matrix-storages.js";

matrix([thin], 1);
