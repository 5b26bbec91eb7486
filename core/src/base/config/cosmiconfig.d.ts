/** The part of cosmiconfig 9.0.2 that config/load.ts uses; its own declarations leave the class out. */
declare module "cosmiconfig/dist/Explorer.js" {
  import type { CosmiconfigResult, Options } from "cosmiconfig";

  export class Explorer {
    constructor(options: Options & { moduleName: string; metaConfigFilePath: string | null });
    search(from: string): Promise<CosmiconfigResult>;
    load(file: string): Promise<CosmiconfigResult>;
  }
}
