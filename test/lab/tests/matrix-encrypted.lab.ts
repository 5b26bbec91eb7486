import { matrix } from "../../matrix/matrix.js";
import { encrypted } from "../support/matrix-storages.js";

matrix([encrypted], 2);
