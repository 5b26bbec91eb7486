import { matrix } from "../../matrix/matrix.js";
import { thick } from "../support/matrix-storages.js";

matrix([thick]);
