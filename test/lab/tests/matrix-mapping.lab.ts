import { matrix } from "../../matrix/matrix.js";
import { mapping } from "../support/matrix-storages.js";

matrix([mapping], 3);
