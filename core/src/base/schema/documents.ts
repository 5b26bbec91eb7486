// Generated from schemas/ by `npm run generate`. Do not edit: change the schema.
export const documents = {
  "audit.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/audit.v1.schema.json",
    "title": "AuditLine",
    "description": "One line of audit.jsonl in the state directory: what changed a set, took data away or guards it, and who did it.",
    "type": "object",
    "required": [
      "at",
      "action",
      "set",
      "uid",
      "pid"
    ],
    "additionalProperties": false,
    "properties": {
      "at": {
        "description": "ISO 8601, UTC.",
        "type": "string"
      },
      "action": {
        "description": "expire: the set outlived its requester.",
        "type": "string",
        "enum": [
          "create",
          "expose",
          "conceal",
          "complete",
          "verify",
          "keep",
          "recover",
          "delete",
          "expire",
          "hold-until",
          "restore",
          "revert",
          "lease",
          "cancel"
        ]
      },
      "set": {
        "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
      },
      "name": {
        "type": "string"
      },
      "uid": {
        "description": "Of the requester, where the service was asked.",
        "type": "integer",
        "minimum": 0
      },
      "sudoUser": {
        "description": "Who became root by way of sudo.",
        "type": "string"
      },
      "pid": {
        "type": "integer",
        "minimum": 0
      },
      "executable": {
        "description": "Of the process with that pid, where the service was asked.",
        "type": "string"
      },
      "detail": {
        "type": "string"
      }
    }
  },
  "command-line.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/command-line.v1.schema.json",
    "title": "CommandLine",
    "description": "The document that each command prints with --json, by the command's name; `error` where it could do nothing.",
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "doctor": {
        "$ref": "#/$defs/doctor"
      },
      "init": {
        "$ref": "#/$defs/init"
      },
      "plan": {
        "$ref": "#/$defs/plan"
      },
      "create": {
        "$ref": "#/$defs/create"
      },
      "run": {
        "$ref": "#/$defs/run"
      },
      "hold": {
        "$ref": "#/$defs/hold"
      },
      "serve": {
        "$ref": "#/$defs/serve"
      },
      "list": {
        "$ref": "#/$defs/list"
      },
      "show": {
        "$ref": "#/$defs/show"
      },
      "history": {
        "$ref": "#/$defs/history"
      },
      "expose": {
        "$ref": "#/$defs/expose"
      },
      "conceal": {
        "$ref": "#/$defs/conceal"
      },
      "verify": {
        "$ref": "#/$defs/verify"
      },
      "restore": {
        "$ref": "#/$defs/restore"
      },
      "revert": {
        "$ref": "#/$defs/revert"
      },
      "delete": {
        "$ref": "#/$defs/delete"
      },
      "prune": {
        "$ref": "#/$defs/prune"
      },
      "hold-until": {
        "$ref": "#/$defs/hold-until"
      },
      "complete": {
        "$ref": "#/$defs/complete"
      },
      "recover": {
        "$ref": "#/$defs/recover"
      },
      "writers": {
        "$ref": "#/$defs/writers"
      },
      "providers": {
        "$ref": "#/$defs/providers"
      },
      "plugins-list": {
        "$ref": "#/$defs/plugins-list"
      },
      "plugins-why": {
        "$ref": "#/$defs/plugins-why"
      },
      "plugins-lock": {
        "$ref": "#/$defs/plugins-lock"
      },
      "plugins-check": {
        "$ref": "#/$defs/plugins-check"
      },
      "plugins-new": {
        "$ref": "#/$defs/plugins-new"
      },
      "schedule": {
        "$ref": "#/$defs/schedule"
      },
      "metrics": {
        "$ref": "#/$defs/metrics"
      },
      "completions": {
        "$ref": "#/$defs/completions"
      },
      "manual": {
        "$ref": "#/$defs/manual"
      },
      "error": {
        "$ref": "#/$defs/error"
      }
    },
    "$defs": {
      "doctor": {
        "title": "DoctorDocument",
        "type": "object",
        "required": [
          "checks"
        ],
        "additionalProperties": false,
        "properties": {
          "checks": {
            "type": "array",
            "items": {
              "title": "DoctorCheck",
              "type": "object",
              "required": [
                "about",
                "state",
                "found"
              ],
              "additionalProperties": false,
              "properties": {
                "about": {
                  "type": "string",
                  "enum": [
                    "system",
                    "rights",
                    "config",
                    "plugins",
                    "tools",
                    "state",
                    "volumes",
                    "databases"
                  ]
                },
                "state": {
                  "description": "note: works, but not as well as it could. bad: something will fail.",
                  "type": "string",
                  "enum": [
                    "good",
                    "note",
                    "bad"
                  ]
                },
                "found": {
                  "type": "string"
                },
                "means": {
                  "description": "What follows from it.",
                  "type": "string"
                },
                "mend": {
                  "description": "What mends it.",
                  "type": "string"
                }
              }
            }
          }
        }
      },
      "init": {
        "title": "InitDocument",
        "type": "object",
        "required": [
          "file",
          "text",
          "targets"
        ],
        "additionalProperties": false,
        "properties": {
          "file": {
            "description": "Where the config is, or would be.",
            "type": "string"
          },
          "text": {
            "description": "The config.",
            "type": "string"
          },
          "targets": {
            "description": "The writers in it, as targets.",
            "type": "array",
            "items": {
              "type": "string"
            }
          }
        }
      },
      "plan": {
        "title": "EstimatedPlan",
        "description": "What create would do, and how long that usually takes.",
        "type": "object",
        "required": [
          "id",
          "request",
          "cut",
          "volumes",
          "writers",
          "providers",
          "components",
          "leftOut",
          "warnings",
          "promised",
          "asked",
          "usual"
        ],
        "additionalProperties": false,
        "properties": {
          "id": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
          },
          "request": {
            "$ref": "service.v1.schema.json#/$defs/plan/properties/request"
          },
          "cut": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/cut"
          },
          "volumes": {
            "type": "array",
            "items": {
              "$ref": "service.v1.schema.json#/$defs/plan/properties/volumes/items"
            }
          },
          "writers": {
            "type": "array",
            "items": {
              "$ref": "service.v1.schema.json#/$defs/plan/properties/writers/items"
            }
          },
          "providers": {
            "type": "array",
            "items": {
              "$ref": "service.v1.schema.json#/$defs/plan/properties/providers/items"
            }
          },
          "components": {
            "type": "array",
            "items": {
              "$ref": "service.v1.schema.json#/$defs/plan/properties/components/items"
            }
          },
          "leftOut": {
            "type": "array",
            "items": {
              "$ref": "service.v1.schema.json#/$defs/plan/properties/leftOut/items"
            }
          },
          "warnings": {
            "type": "array",
            "items": {
              "type": "string"
            }
          },
          "promised": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/consistency"
          },
          "asked": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/consistency"
          },
          "usual": {
            "type": "array",
            "items": {
              "title": "Usual",
              "description": "How long a call takes, from past runs.",
              "type": "object",
              "required": [
                "actor",
                "op",
                "runs",
                "failed",
                "medianMs",
                "maxMs",
                "limitMs",
                "stillMs"
              ],
              "additionalProperties": false,
              "properties": {
                "actor": {
                  "description": "Instance name.",
                  "type": "string"
                },
                "op": {
                  "type": "string",
                  "enum": [
                    "freeze",
                    "commit"
                  ]
                },
                "runs": {
                  "description": "How many there were, of the last 20.",
                  "type": "integer",
                  "minimum": 0
                },
                "failed": {
                  "description": "How many of them failed in this call.",
                  "type": "integer",
                  "minimum": 0
                },
                "medianMs": {
                  "description": "Of those that did not fail; null: each failed.",
                  "type": [
                    "number",
                    "null"
                  ]
                },
                "maxMs": {
                  "type": [
                    "number",
                    "null"
                  ]
                },
                "limitMs": {
                  "description": "What the last run was given.",
                  "type": "number",
                  "minimum": 0
                },
                "stillMs": {
                  "description": "From the request to freeze to the answer to thaw, of a freeze; the median.",
                  "type": [
                    "number",
                    "null"
                  ]
                }
              }
            }
          }
        }
      },
      "create": {
        "title": "EndedDocument",
        "description": "How a transaction ended.",
        "type": "object",
        "required": [
          "outcome",
          "exitCode",
          "set",
          "error",
          "residue",
          "timeline"
        ],
        "additionalProperties": false,
        "properties": {
          "outcome": {
            "type": "string",
            "enum": [
              "created",
              "degraded",
              "aborted",
              "interrupted",
              "broken"
            ]
          },
          "exitCode": {
            "description": "What the command ends with.",
            "type": "integer",
            "minimum": 0
          },
          "set": {
            "description": "null: there is none.",
            "anyOf": [
              {
                "type": "null"
              },
              {
                "$ref": "snapshot-set.v1.schema.json"
              }
            ]
          },
          "error": {
            "anyOf": [
              {
                "type": "null"
              },
              {
                "$ref": "event.v1.schema.json#/$defs/fault"
              }
            ]
          },
          "residue": {
            "type": "array",
            "items": {
              "$ref": "event.v1.schema.json#/$defs/residue"
            }
          },
          "timeline": {
            "type": "array",
            "items": {
              "$ref": "snapshot-set.v1.schema.json#/$defs/span"
            }
          }
        }
      },
      "run": {
        "title": "RunDocument",
        "type": "object",
        "required": [
          "ended",
          "command",
          "error",
          "untold",
          "left"
        ],
        "additionalProperties": false,
        "properties": {
          "ended": {
            "$ref": "#/$defs/create"
          },
          "command": {
            "description": "null: it was not started.",
            "anyOf": [
              {
                "type": "null"
              },
              {
                "title": "CommandEnd",
                "type": "object",
                "required": [
                  "exitCode",
                  "signal"
                ],
                "additionalProperties": false,
                "properties": {
                  "exitCode": {
                    "description": "128 plus the signal's number where one ended it, as in a shell.",
                    "type": "integer",
                    "minimum": 0
                  },
                  "signal": {
                    "type": [
                      "string",
                      "null"
                    ]
                  }
                }
              }
            ]
          },
          "error": {
            "description": "Why the command was not started, if not for how the set ended.",
            "anyOf": [
              {
                "type": "null"
              },
              {
                "$ref": "event.v1.schema.json#/$defs/fault"
              }
            ]
          },
          "untold": {
            "description": "Writers that could not be told how it went.",
            "type": "array",
            "items": {
              "$ref": "service.v1.schema.json#/$defs/completed/properties/failed/items"
            }
          },
          "left": {
            "description": "Why the set could not be concealed or removed.",
            "anyOf": [
              {
                "type": "null"
              },
              {
                "$ref": "event.v1.schema.json#/$defs/fault"
              }
            ]
          }
        }
      },
      "hold": {
        "$ref": "snapshot-set.v1.schema.json"
      },
      "serve": {
        "title": "UnitFiles",
        "description": "Unit files for systemd.",
        "type": "object",
        "required": [
          "files"
        ],
        "additionalProperties": false,
        "properties": {
          "files": {
            "description": "The text of each, by its name.",
            "type": "object",
            "additionalProperties": {
              "type": "string"
            }
          }
        }
      },
      "list": {
        "$ref": "service.v1.schema.json#/$defs/sets"
      },
      "show": {
        "$ref": "snapshot-set.v1.schema.json"
      },
      "history": {
        "title": "HistoryDocument",
        "type": "object",
        "required": [
          "transactions"
        ],
        "additionalProperties": false,
        "properties": {
          "transactions": {
            "type": "array",
            "items": {
              "$ref": "history.v1.schema.json"
            }
          }
        }
      },
      "expose": {
        "$ref": "snapshot-set.v1.schema.json"
      },
      "conceal": {
        "$ref": "snapshot-set.v1.schema.json"
      },
      "verify": {
        "$ref": "snapshot-set.v1.schema.json"
      },
      "restore": {
        "description": "With --dry-run the plan.",
        "anyOf": [
          {
            "$ref": "service.v1.schema.json#/$defs/restorePlan"
          },
          {
            "$ref": "service.v1.schema.json#/$defs/restored"
          }
        ]
      },
      "revert": {
        "title": "RevertedDocument",
        "type": "object",
        "required": [
          "set",
          "steps",
          "unfinished",
          "safety"
        ],
        "additionalProperties": false,
        "properties": {
          "set": {
            "$ref": "snapshot-set.v1.schema.json"
          },
          "steps": {
            "type": "array",
            "items": {
              "$ref": "service.v1.schema.json#/$defs/restorePlan/properties/steps/items"
            }
          },
          "unfinished": {
            "description": "Writers that could not finish: the data is in place.",
            "type": "array",
            "items": {
              "$ref": "service.v1.schema.json#/$defs/completed/properties/failed/items"
            }
          },
          "safety": {
            "title": "Safety",
            "description": "A set of what was there before.",
            "type": "object",
            "required": [
              "set"
            ],
            "additionalProperties": false,
            "properties": {
              "set": {
                "description": "null: none could be taken.",
                "anyOf": [
                  {
                    "type": "null"
                  },
                  {
                    "$ref": "snapshot-set.v1.schema.json"
                  }
                ]
              },
              "why": {
                "$ref": "event.v1.schema.json#/$defs/fault"
              }
            }
          }
        }
      },
      "delete": {
        "title": "RemovalDocument",
        "description": "What was removed, and what could not be.",
        "type": "object",
        "required": [
          "deleted",
          "failed"
        ],
        "additionalProperties": false,
        "properties": {
          "deleted": {
            "type": "array",
            "items": {
              "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
            }
          },
          "failed": {
            "type": "array",
            "items": {
              "title": "Unremoved",
              "type": "object",
              "required": [
                "set",
                "error"
              ],
              "additionalProperties": false,
              "properties": {
                "set": {
                  "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
                },
                "error": {
                  "$ref": "event.v1.schema.json#/$defs/fault"
                }
              }
            }
          }
        }
      },
      "prune": {
        "description": "With --dry-run the verdicts.",
        "anyOf": [
          {
            "title": "PruneVerdicts",
            "type": "object",
            "required": [
              "verdicts",
              "damaged"
            ],
            "additionalProperties": false,
            "properties": {
              "verdicts": {
                "type": "array",
                "items": {
                  "title": "PruneVerdict",
                  "type": "object",
                  "required": [
                    "set",
                    "kept"
                  ],
                  "additionalProperties": false,
                  "properties": {
                    "set": {
                      "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
                    },
                    "kept": {
                      "description": "The rules that keep it; none: it may go.",
                      "type": "array",
                      "items": {
                        "type": "string"
                      }
                    }
                  }
                }
              },
              "damaged": {
                "description": "What could not be read, and stays.",
                "type": "array",
                "items": {
                  "$ref": "service.v1.schema.json#/$defs/sets/properties/damaged/items"
                }
              }
            }
          },
          {
            "title": "PruneDocument",
            "type": "object",
            "required": [
              "deleted",
              "failed",
              "damaged"
            ],
            "additionalProperties": false,
            "properties": {
              "deleted": {
                "type": "array",
                "items": {
                  "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
                }
              },
              "failed": {
                "type": "array",
                "items": {
                  "$ref": "#/$defs/delete/properties/failed/items"
                }
              },
              "damaged": {
                "description": "What could not be read, and stays.",
                "type": "array",
                "items": {
                  "$ref": "service.v1.schema.json#/$defs/sets/properties/damaged/items"
                }
              }
            }
          }
        ]
      },
      "hold-until": {
        "$ref": "snapshot-set.v1.schema.json"
      },
      "complete": {
        "$ref": "service.v1.schema.json#/$defs/completed"
      },
      "recover": {
        "title": "RecoverDocument",
        "description": "done: those that are gone now; residue: what could not be undone.",
        "type": "object",
        "required": [
          "leftovers",
          "done",
          "residue"
        ],
        "additionalProperties": false,
        "properties": {
          "leftovers": {
            "type": "array",
            "items": {
              "title": "Leftover",
              "description": "What somebody who died has left.",
              "type": "object",
              "required": [
                "is"
              ],
              "discriminator": {
                "propertyName": "is"
              },
              "oneOf": [
                {
                  "title": "DeadTransaction",
                  "type": "object",
                  "required": [
                    "is",
                    "id",
                    "begunAt",
                    "owed",
                    "held"
                  ],
                  "additionalProperties": false,
                  "properties": {
                    "is": {
                      "const": "transaction"
                    },
                    "id": {
                      "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
                    },
                    "begunAt": {
                      "description": "ISO 8601, UTC.",
                      "type": "string"
                    },
                    "owed": {
                      "description": "Who has to be told to undo.",
                      "type": "array",
                      "items": {
                        "title": "Owed",
                        "type": "object",
                        "required": [
                          "who"
                        ],
                        "additionalProperties": false,
                        "properties": {
                          "who": {
                            "$ref": "journal.v1.schema.json#/$defs/enlisted/properties/who"
                          }
                        }
                      }
                    },
                    "held": {
                      "description": "What the kernel may hold still.",
                      "type": "array",
                      "items": {
                        "type": "string"
                      }
                    }
                  }
                },
                {
                  "title": "StraySnapshot",
                  "description": "No record names it.",
                  "type": "object",
                  "required": [
                    "is",
                    "provider",
                    "snapshot"
                  ],
                  "additionalProperties": false,
                  "properties": {
                    "is": {
                      "const": "snapshot"
                    },
                    "provider": {
                      "description": "Instance name.",
                      "type": "string"
                    },
                    "snapshot": {
                      "$ref": "contract.v1.schema.json#/$defs/snapshot"
                    }
                  }
                },
                {
                  "title": "StrayExposure",
                  "description": "Somebody who died was showing it.",
                  "type": "object",
                  "required": [
                    "is",
                    "id"
                  ],
                  "additionalProperties": false,
                  "properties": {
                    "is": {
                      "const": "exposure"
                    },
                    "id": {
                      "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
                    }
                  }
                },
                {
                  "title": "ExpiredSet",
                  "description": "It outlived its requester.",
                  "type": "object",
                  "required": [
                    "is",
                    "id",
                    "createdAt",
                    "lease"
                  ],
                  "additionalProperties": false,
                  "properties": {
                    "is": {
                      "const": "expired"
                    },
                    "id": {
                      "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
                    },
                    "createdAt": {
                      "description": "ISO 8601, UTC.",
                      "type": "string"
                    },
                    "lease": {
                      "$ref": "snapshot-set.v1.schema.json#/$defs/lease"
                    }
                  }
                }
              ]
            }
          },
          "done": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/recover/properties/leftovers/items"
            }
          },
          "residue": {
            "type": "array",
            "items": {
              "$ref": "event.v1.schema.json#/$defs/residue"
            }
          }
        }
      },
      "writers": {
        "$ref": "service.v1.schema.json#/$defs/writers"
      },
      "providers": {
        "$ref": "service.v1.schema.json#/$defs/providers"
      },
      "plugins-list": {
        "title": "PluginsListDocument",
        "type": "object",
        "required": [
          "plugins",
          "candidates",
          "found",
          "warnings",
          "problems"
        ],
        "additionalProperties": false,
        "properties": {
          "plugins": {
            "type": "array",
            "items": {
              "title": "ResolvedPluginDocument",
              "type": "object",
              "required": [
                "who",
                "dir",
                "policy",
                "isolation",
                "memoryMb",
                "freezeMs",
                "protocol"
              ],
              "additionalProperties": false,
              "properties": {
                "who": {
                  "$ref": "journal.v1.schema.json#/$defs/enlisted/properties/who"
                },
                "dir": {
                  "type": "string"
                },
                "policy": {
                  "type": "string",
                  "enum": [
                    "required",
                    "best-effort"
                  ]
                },
                "isolation": {
                  "type": "string",
                  "enum": [
                    "thread",
                    "process"
                  ]
                },
                "memoryMb": {
                  "description": "Heap of the worker, MiB.",
                  "type": "number",
                  "minimum": 0
                },
                "freezeMs": {
                  "type": [
                    "number",
                    "null"
                  ]
                },
                "protocol": {
                  "description": "Version of the contract that is used.",
                  "type": "integer",
                  "minimum": 0
                }
              }
            }
          },
          "candidates": {
            "description": "Of each instance, by its name.",
            "type": "object",
            "additionalProperties": {
              "type": "array",
              "items": {
                "$ref": "service.v1.schema.json#/$defs/plugins/properties/plugins/items"
              }
            }
          },
          "found": {
            "type": "array",
            "items": {
              "$ref": "service.v1.schema.json#/$defs/plugins/properties/plugins/items"
            }
          },
          "warnings": {
            "type": "array",
            "items": {
              "type": "string"
            }
          },
          "problems": {
            "type": "array",
            "items": {
              "$ref": "event.v1.schema.json#/$defs/fault"
            }
          }
        }
      },
      "plugins-why": {
        "title": "PluginExplanation",
        "type": "object",
        "required": [
          "name",
          "host",
          "asked",
          "candidates",
          "searched",
          "problems"
        ],
        "additionalProperties": false,
        "properties": {
          "name": {
            "type": "string"
          },
          "host": {
            "title": "HostDocument",
            "type": "object",
            "required": [
              "version",
              "protocols"
            ],
            "additionalProperties": false,
            "properties": {
              "version": {
                "type": "string"
              },
              "protocols": {
                "type": "array",
                "items": {
                  "type": "integer"
                }
              }
            }
          },
          "asked": {
            "type": "array",
            "items": {
              "title": "AskedPlugin",
              "description": "An instance of the config that asks for it.",
              "type": "object",
              "required": [
                "instance",
                "use",
                "policy",
                "at",
                "taken"
              ],
              "additionalProperties": false,
              "properties": {
                "instance": {
                  "type": "string"
                },
                "use": {
                  "title": "PluginUse",
                  "type": "object",
                  "required": [
                    "name",
                    "range"
                  ],
                  "additionalProperties": false,
                  "properties": {
                    "name": {
                      "type": "string"
                    },
                    "range": {
                      "type": "string"
                    }
                  }
                },
                "policy": {
                  "type": "string",
                  "enum": [
                    "required",
                    "best-effort",
                    "excluded"
                  ]
                },
                "at": {
                  "description": "null: not from a file.",
                  "anyOf": [
                    {
                      "type": "null"
                    },
                    {
                      "title": "ConfigPlace",
                      "type": "object",
                      "required": [
                        "file",
                        "pointer"
                      ],
                      "additionalProperties": false,
                      "properties": {
                        "file": {
                          "type": "string"
                        },
                        "line": {
                          "type": "integer",
                          "minimum": 1
                        },
                        "pointer": {
                          "type": "string"
                        }
                      }
                    }
                  ]
                },
                "taken": {
                  "anyOf": [
                    {
                      "type": "null"
                    },
                    {
                      "$ref": "service.v1.schema.json#/$defs/plugins/properties/plugins/items"
                    }
                  ]
                }
              }
            }
          },
          "candidates": {
            "type": "array",
            "items": {
              "title": "ExplainedCandidate",
              "type": "object",
              "required": [
                "name",
                "version",
                "dir",
                "verdict",
                "reason",
                "needs",
                "trust"
              ],
              "additionalProperties": false,
              "properties": {
                "name": {
                  "type": "string"
                },
                "version": {
                  "type": "string"
                },
                "dir": {
                  "type": "string"
                },
                "verdict": {
                  "type": "string",
                  "enum": [
                    "taken",
                    "older",
                    "unused",
                    "refused"
                  ]
                },
                "reason": {
                  "type": "string"
                },
                "needs": {
                  "description": "null: its manifest is not valid.",
                  "anyOf": [
                    {
                      "type": "null"
                    },
                    {
                      "title": "PluginNeeds",
                      "type": "object",
                      "required": [
                        "holdstill",
                        "protocol",
                        "commands",
                        "environment"
                      ],
                      "additionalProperties": false,
                      "properties": {
                        "holdstill": {
                          "description": "A range of versions.",
                          "type": "string"
                        },
                        "protocol": {
                          "title": "ProtocolNeeds",
                          "type": "object",
                          "required": [
                            "spoken",
                            "used"
                          ],
                          "additionalProperties": false,
                          "properties": {
                            "spoken": {
                              "type": "array",
                              "items": {
                                "type": "integer"
                              }
                            },
                            "used": {
                              "description": "null: the host speaks none of it.",
                              "type": [
                                "integer",
                                "null"
                              ]
                            }
                          }
                        },
                        "commands": {
                          "type": "array",
                          "items": {
                            "title": "ProgramNeeded",
                            "type": "object",
                            "required": [
                              "name",
                              "path"
                            ],
                            "additionalProperties": false,
                            "properties": {
                              "name": {
                                "type": "string"
                              },
                              "path": {
                                "description": "null: there is none.",
                                "type": [
                                  "string",
                                  "null"
                                ]
                              }
                            }
                          }
                        },
                        "environment": {
                          "type": "array",
                          "items": {
                            "title": "VariableNeeded",
                            "type": "object",
                            "required": [
                              "name",
                              "isSet"
                            ],
                            "additionalProperties": false,
                            "properties": {
                              "name": {
                                "type": "string"
                              },
                              "isSet": {
                                "type": "boolean"
                              }
                            }
                          }
                        }
                      }
                    }
                  ]
                },
                "trust": {
                  "type": "array",
                  "items": {
                    "title": "TrustProblem",
                    "description": "What lets somebody else change what runs.",
                    "type": "object",
                    "required": [
                      "path",
                      "problem",
                      "mend"
                    ],
                    "additionalProperties": false,
                    "properties": {
                      "path": {
                        "type": "string"
                      },
                      "problem": {
                        "type": "string"
                      },
                      "mend": {
                        "type": "string"
                      }
                    }
                  }
                }
              }
            }
          },
          "searched": {
            "description": "The plugin paths, in the order of the search.",
            "type": "array",
            "items": {
              "type": "string"
            }
          },
          "problems": {
            "type": "array",
            "items": {
              "$ref": "event.v1.schema.json#/$defs/fault"
            }
          }
        }
      },
      "plugins-lock": {
        "title": "PluginPins",
        "type": "object",
        "required": [
          "file",
          "plugins",
          "dropped"
        ],
        "additionalProperties": false,
        "properties": {
          "file": {
            "type": "string"
          },
          "plugins": {
            "type": "array",
            "items": {
              "title": "PluginPin",
              "type": "object",
              "required": [
                "name",
                "version",
                "content",
                "was",
                "changes"
              ],
              "additionalProperties": false,
              "properties": {
                "name": {
                  "type": "string"
                },
                "version": {
                  "type": "string"
                },
                "content": {
                  "$ref": "lock.v1.schema.json#/$defs/digest"
                },
                "was": {
                  "type": "string",
                  "enum": [
                    "new",
                    "same",
                    "other"
                  ]
                },
                "changes": {
                  "type": "array",
                  "items": {
                    "title": "FileChange",
                    "type": "object",
                    "required": [
                      "file",
                      "change"
                    ],
                    "additionalProperties": false,
                    "properties": {
                      "file": {
                        "type": "string"
                      },
                      "change": {
                        "type": "string",
                        "enum": [
                          "added",
                          "changed",
                          "removed"
                        ]
                      }
                    }
                  }
                }
              }
            }
          },
          "dropped": {
            "description": "Pinned before, and taken by no instance any more.",
            "type": "array",
            "items": {
              "title": "DroppedPin",
              "type": "object",
              "required": [
                "name",
                "version"
              ],
              "additionalProperties": false,
              "properties": {
                "name": {
                  "type": "string"
                },
                "version": {
                  "type": "string"
                }
              }
            }
          }
        }
      },
      "plugins-check": {
        "$ref": "conformance-report.v1.schema.json"
      },
      "plugins-new": {
        "title": "NewPlugin",
        "type": "object",
        "required": [
          "dir",
          "kind",
          "name",
          "language",
          "files"
        ],
        "additionalProperties": false,
        "properties": {
          "dir": {
            "type": "string"
          },
          "kind": {
            "type": "string",
            "enum": [
              "writer",
              "provider"
            ]
          },
          "name": {
            "type": "string"
          },
          "language": {
            "type": "string",
            "enum": [
              "typescript",
              "javascript"
            ]
          },
          "files": {
            "description": "Relative to dir.",
            "type": "array",
            "items": {
              "type": "string"
            }
          }
        }
      },
      "schedule": {
        "$ref": "#/$defs/serve"
      },
      "metrics": {
        "title": "TextDocument",
        "description": "What would be printed without --json.",
        "type": "object",
        "required": [
          "text"
        ],
        "additionalProperties": false,
        "properties": {
          "text": {
            "type": "string"
          }
        }
      },
      "completions": {
        "$ref": "#/$defs/metrics"
      },
      "manual": {
        "$ref": "#/$defs/metrics"
      },
      "error": {
        "title": "ErrorDocument",
        "description": "What every command answers that could do nothing.",
        "type": "object",
        "required": [
          "error"
        ],
        "additionalProperties": false,
        "properties": {
          "error": {
            "$ref": "event.v1.schema.json#/$defs/fault"
          }
        }
      }
    }
  },
  "components.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/components.v1.schema.json",
    "title": "Components",
    "description": "A writer's metadata: what the application owns, where it lies, and what kind of picture it tolerates. The answer of identify.",
    "type": "array",
    "minItems": 1,
    "items": {
      "$ref": "#/$defs/component"
    },
    "$defs": {
      "component": {
        "title": "Component",
        "description": "Something that a writer owns: a database cluster, a group of files. It has paths, and so volumes.",
        "type": "object",
        "required": [
          "name",
          "kind",
          "paths",
          "tolerates"
        ],
        "additionalProperties": false,
        "properties": {
          "name": {
            "description": "Unique within the writer.",
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"
          },
          "kind": {
            "type": "string",
            "enum": [
              "database",
              "files",
              "logs"
            ]
          },
          "paths": {
            "description": "Absolute paths of all that belongs to the component.",
            "type": "array",
            "minItems": 1,
            "uniqueItems": true,
            "items": {
              "type": "string",
              "pattern": "^/"
            }
          },
          "exclude": {
            "description": "Absolute paths below `paths` that a copying provider may leave out. A trailing `/*` keeps the directory and leaves out what is in it.",
            "type": "array",
            "uniqueItems": true,
            "items": {
              "type": "string",
              "pattern": "^/"
            }
          },
          "tolerates": {
            "description": "What the picture must be while the application is frozen. `fuzzy`: a copy that is made file by file between freeze and thaw will do, because nothing in `paths` changes then, or because the application's own redo makes whole what did. `point-in-time`: only one of a single instant will, because threads of the application go on writing whatever is locked.",
            "type": "string",
            "enum": [
              "point-in-time",
              "fuzzy"
            ]
          },
          "level": {
            "description": "Order of freezing: front-end first, system last; thawed in reverse. Default: back-end.",
            "type": "string",
            "enum": [
              "front-end",
              "back-end",
              "system"
            ]
          },
          "recovery": {
            "description": "Whether the writer repairs the picture after the cut, so that it opens at once. none: never. fork: only where the picture as it was cut stays beside it. always: on the picture itself where the provider makes no fork. Default: none.",
            "type": "string",
            "enum": [
              "none",
              "fork",
              "always"
            ]
          },
          "method": {
            "description": "How the writer holds the application still, by the cut: a few words for a person, in the plan.",
            "type": "object",
            "additionalProperties": false,
            "properties": {
              "atomic": {
                "type": "string",
                "minLength": 1
              },
              "per-volume": {
                "type": "string",
                "minLength": 1
              },
              "fuzzy": {
                "type": "string",
                "minLength": 1
              }
            }
          },
          "facts": {
            "description": "What a person or a restore wants to know: version, system identifier, port. Never a secret.",
            "type": "object",
            "additionalProperties": true
          }
        }
      }
    }
  },
  "config.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/config.v1.schema.json",
    "title": "Config",
    "description": "holdstill.yaml: which plugins take part, and the limits that hold for them.",
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "$schema": {
        "type": "string"
      },
      "pluginPaths": {
        "description": "Folders that are searched for plugins, beside the bundled ones. Relative to the config file.",
        "type": "array",
        "uniqueItems": true,
        "items": {
          "type": "string",
          "minLength": 1
        }
      },
      "stateDir": {
        "description": "Where the catalog, the journal and the locks live. Default: /var/lib/holdstill for root, else $XDG_STATE_HOME/holdstill.",
        "type": "string",
        "minLength": 1
      },
      "exposeDir": {
        "description": "Where snapshots are exposed, one folder per set. Default: /run/holdstill for root, else $XDG_STATE_HOME/holdstill-exposed.",
        "type": "string",
        "minLength": 1
      },
      "fillInterval": {
        "description": "How often `run`, `hold` and the service look how full the room of the snapshots is that they keep. Default 30s.",
        "$ref": "#/$defs/duration"
      },
      "limits": {
        "$ref": "#/$defs/limits"
      },
      "plugins": {
        "description": "The plugin instances. Without a provider among them, the embedded provider-reflink is used.",
        "type": "array",
        "items": {
          "$ref": "#/$defs/instance"
        }
      },
      "log": {
        "$ref": "#/$defs/log"
      },
      "service": {
        "$ref": "#/$defs/service"
      }
    },
    "$defs": {
      "duration": {
        "title": "Duration",
        "description": "\"250ms\", \"3s\", \"10m\", \"1h\", or milliseconds.",
        "anyOf": [
          {
            "type": "string",
            "pattern": "^[0-9]+(\\.[0-9]+)?(ms|s|m|h)$"
          },
          {
            "type": "integer",
            "minimum": 1,
            "maximum": 86400000
          }
        ]
      },
      "limits": {
        "title": "Limits",
        "description": "The longest time that each part of a transaction may take. None is unlimited.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "queue": {
            "description": "Waiting for a volume that another transaction owns. Default 10m.",
            "$ref": "#/$defs/duration"
          },
          "identify": {
            "description": "Default 30s.",
            "$ref": "#/$defs/duration"
          },
          "prepare": {
            "description": "Default 10m.",
            "$ref": "#/$defs/duration"
          },
          "freeze": {
            "description": "From the first freeze to the last thaw. Default 60s.",
            "$ref": "#/$defs/duration"
          },
          "hold": {
            "description": "From the first hold to the last release, commit included. Default 10s.",
            "$ref": "#/$defs/duration"
          },
          "copy": {
            "description": "A commit that copies while applications run in a mode that tolerates it; it extends the freeze window. Default 1h.",
            "$ref": "#/$defs/duration"
          },
          "seal": {
            "description": "Default 5m.",
            "$ref": "#/$defs/duration"
          },
          "recover": {
            "description": "A writer's repair of a picture, so that it opens at once. Default 30m.",
            "$ref": "#/$defs/duration"
          },
          "complete": {
            "description": "Default 5m.",
            "$ref": "#/$defs/duration"
          },
          "abort": {
            "description": "Each undo call. Default 30s.",
            "$ref": "#/$defs/duration"
          }
        }
      },
      "instance": {
        "title": "PluginInstance",
        "type": "object",
        "required": [
          "use"
        ],
        "additionalProperties": false,
        "properties": {
          "use": {
            "description": "NAME or NAME@RANGE, for example writer-postgres@^1.",
            "type": "string",
            "pattern": "^[a-z][a-z0-9-]{0,63}(@.+)?$"
          },
          "as": {
            "description": "Name of this instance. Default: the plugin's name.",
            "type": "string",
            "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"
          },
          "policy": {
            "description": "Writers only. required (default): no snapshot without it. best-effort: left out when it fails, and the record says so. excluded: not asked.",
            "type": "string",
            "enum": [
              "required",
              "best-effort",
              "excluded"
            ]
          },
          "isolation": {
            "description": "Overrides the manifest.",
            "type": "string",
            "enum": [
              "thread",
              "process"
            ]
          },
          "freeze": {
            "description": "Longest time that this writer's freeze may take; lowers the manifest's limit.",
            "$ref": "#/$defs/duration"
          },
          "environment": {
            "description": "Variables of holdstill's own environment that the plugin gets beside those that its manifest names, for example a proxy's. Nothing else is handed on.",
            "type": "array",
            "uniqueItems": true,
            "items": {
              "type": "string",
              "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"
            }
          },
          "options": {
            "description": "Checked against the plugin's own schema. Where that says that it is a secret: {\"env\": NAME} or {\"file\": PATH}, a file that only root and the user who runs holdstill can read, in place of the secret itself.",
            "type": "object",
            "additionalProperties": true
          }
        }
      },
      "log": {
        "title": "LogConfig",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "level": {
            "type": "string",
            "enum": [
              "debug",
              "info",
              "warn",
              "error",
              "silent"
            ]
          },
          "file": {
            "description": "JSON lines. Never on a volume that is snapshotted. Default: no file.",
            "type": "string",
            "minLength": 1
          }
        }
      },
      "service": {
        "title": "ServiceConfig",
        "description": "`holdstill serve`: where it listens, and who may do what. Root, and the user who runs it, may do everything; nobody else may do anything that is not named here.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "socket": {
            "description": "The Unix socket. Default: /run/holdstill.sock for root, else $XDG_STATE_HOME/holdstill.sock.",
            "type": "string",
            "minLength": 1,
            "maxLength": 90
          },
          "group": {
            "description": "Whose members may connect: a name or a number. Default: holdstill where there is such a group, else nobody.",
            "$ref": "#/$defs/account"
          },
          "rights": {
            "$ref": "#/$defs/rights"
          },
          "operations": {
            "description": "How many operations may run or wait at a time. Default 64.",
            "type": "integer",
            "minimum": 1,
            "maximum": 1024
          }
        }
      },
      "rights": {
        "title": "RightsConfig",
        "description": "Each implies read.",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "read": {
            "description": "Plans, and sees everything.",
            "$ref": "#/$defs/principals"
          },
          "create": {
            "description": "Takes sets of any path, and exposes, conceals, verifies and completes those that it took.",
            "$ref": "#/$defs/principals"
          },
          "delete": {
            "description": "Deletes any set.",
            "$ref": "#/$defs/principals"
          },
          "restore": {
            "description": "Puts data back from any set.",
            "$ref": "#/$defs/principals"
          }
        }
      },
      "principals": {
        "type": "array",
        "uniqueItems": true,
        "items": {
          "description": "user:NAME or group:NAME; a number in place of the name will do.",
          "type": "string",
          "pattern": "^(user|group):[A-Za-z0-9_.-]{1,64}$"
        }
      },
      "account": {
        "type": "string",
        "pattern": "^[A-Za-z0-9_.-]{1,64}$"
      }
    }
  },
  "conformance-fixture.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/conformance-fixture.v1.schema.json",
    "title": "Fixture",
    "description": "conformance.json, beside plugin.json: what `holdstill plugins check` tries the plugin on. Commands are run by sh, in the plugin's folder. In commands and in every text here $WORK is an empty folder that is made for the run, and $PLUGIN the plugin's folder.",
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "$schema": {
        "type": "string"
      },
      "options": {
        "description": "The plugin's block, as it would stand in the config.",
        "type": "object",
        "additionalProperties": true
      },
      "environment": {
        "description": "For the commands here, and for the plugin where its manifest names the variable.",
        "type": "object",
        "propertyNames": {
          "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"
        },
        "additionalProperties": {
          "type": "string"
        }
      },
      "setup": {
        "description": "Makes what the plugin is tried on. What is to go on in the background is started with setsid, and ended when all is over.",
        "type": "string",
        "minLength": 1
      },
      "teardown": {
        "description": "Undoes setup; $WORK is removed anyway.",
        "type": "string",
        "minLength": 1
      },
      "limitSeconds": {
        "description": "Longest time of one call, s. Default: 10.",
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 3600
      },
      "probe": {
        "description": "Of a writer: tries to change the application's data, and ends with 0 when the change got through. While frozen it may fail, or wait.",
        "type": "string",
        "minLength": 1
      },
      "loseFreeze": {
        "description": "Of a writer: makes a freeze that is in force end, as a restart of the application does.",
        "type": "string",
        "minLength": 1
      },
      "targets": {
        "description": "Of a provider: folders that are captured. Files are made in them and removed.",
        "type": "array",
        "minItems": 1,
        "uniqueItems": true,
        "items": {
          "type": "string",
          "pattern": "^(/|\\$WORK(/|$)|\\$PLUGIN(/|$))"
        }
      },
      "watch": {
        "description": "Folders in which nothing may be left, no file and no mount.",
        "type": "array",
        "uniqueItems": true,
        "items": {
          "type": "string",
          "pattern": "^(/|\\$WORK(/|$))"
        }
      }
    }
  },
  "conformance-report.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/conformance-report.v1.schema.json",
    "title": "ConformanceReport",
    "description": "What `holdstill plugins check` found; the document of its --json.",
    "type": "object",
    "required": [
      "reportVersion",
      "holdstill",
      "plugin",
      "passed",
      "failed",
      "skipped",
      "ms",
      "checks"
    ],
    "additionalProperties": false,
    "properties": {
      "reportVersion": {
        "const": 1
      },
      "holdstill": {
        "description": "Version of the host.",
        "type": "string"
      },
      "plugin": {
        "title": "CheckedPlugin",
        "type": "object",
        "required": [
          "dir"
        ],
        "additionalProperties": false,
        "properties": {
          "dir": {
            "type": "string"
          },
          "name": {
            "description": "Not there where the manifest does not tell.",
            "type": "string"
          },
          "version": {
            "type": "string"
          },
          "kind": {
            "type": "string",
            "enum": [
              "writer",
              "provider"
            ]
          }
        }
      },
      "passed": {
        "type": "integer",
        "minimum": 0
      },
      "failed": {
        "type": "integer",
        "minimum": 0
      },
      "skipped": {
        "type": "integer",
        "minimum": 0
      },
      "ms": {
        "type": "number",
        "minimum": 0
      },
      "checks": {
        "type": "array",
        "items": {
          "$ref": "#/$defs/result"
        }
      }
    },
    "$defs": {
      "name": {
        "title": "CheckName",
        "type": "string",
        "pattern": "^[a-z][a-z-]*$"
      },
      "runtime": {
        "title": "Runtime",
        "type": "string",
        "enum": [
          "thread",
          "process"
        ]
      },
      "result": {
        "title": "CheckResult",
        "description": "What came of one check. `title` says what is right; `runtime` is not there where no worker was needed.",
        "type": "object",
        "required": [
          "status"
        ],
        "discriminator": {
          "propertyName": "status"
        },
        "oneOf": [
          {
            "type": "object",
            "required": [
              "status",
              "name",
              "group",
              "title",
              "ms"
            ],
            "additionalProperties": false,
            "properties": {
              "status": {
                "const": "passed"
              },
              "name": {
                "$ref": "#/$defs/name"
              },
              "group": {
                "type": "string"
              },
              "title": {
                "type": "string"
              },
              "runtime": {
                "$ref": "#/$defs/runtime"
              },
              "ms": {
                "type": "number",
                "minimum": 0
              }
            }
          },
          {
            "type": "object",
            "required": [
              "status",
              "name",
              "group",
              "title",
              "ms",
              "seen",
              "next"
            ],
            "additionalProperties": false,
            "properties": {
              "status": {
                "const": "failed"
              },
              "name": {
                "$ref": "#/$defs/name"
              },
              "group": {
                "type": "string"
              },
              "title": {
                "type": "string"
              },
              "runtime": {
                "$ref": "#/$defs/runtime"
              },
              "ms": {
                "type": "number",
                "minimum": 0
              },
              "seen": {
                "type": "string"
              },
              "next": {
                "description": "What to do.",
                "type": "string"
              }
            }
          },
          {
            "type": "object",
            "required": [
              "status",
              "name",
              "group",
              "title",
              "why"
            ],
            "additionalProperties": false,
            "properties": {
              "status": {
                "const": "skipped"
              },
              "name": {
                "$ref": "#/$defs/name"
              },
              "group": {
                "type": "string"
              },
              "title": {
                "type": "string"
              },
              "runtime": {
                "$ref": "#/$defs/runtime"
              },
              "why": {
                "type": "string"
              }
            }
          }
        ]
      }
    }
  },
  "contract.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/contract.v1.schema.json",
    "title": "Contract",
    "description": "The values that cross between host and plugin in contract version 1. Every answer is checked against its definition here.",
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "volume": {
        "$ref": "#/$defs/volume"
      },
      "support": {
        "$ref": "#/$defs/support"
      },
      "criticalSection": {
        "$ref": "#/$defs/criticalSection"
      },
      "freezeToken": {
        "$ref": "#/$defs/freezeToken"
      },
      "compensation": {
        "$ref": "#/$defs/compensation"
      },
      "thawReport": {
        "$ref": "#/$defs/thawReport"
      },
      "sidecar": {
        "$ref": "#/$defs/sidecar"
      },
      "snapshot": {
        "$ref": "#/$defs/snapshot"
      },
      "snapshots": {
        "$ref": "#/$defs/snapshots"
      },
      "exposed": {
        "$ref": "#/$defs/exposed"
      },
      "report": {
        "$ref": "#/$defs/report"
      },
      "nothing": {
        "$ref": "#/$defs/nothing"
      }
    },
    "$defs": {
      "blockDevice": {
        "title": "BlockDevice",
        "type": "object",
        "required": [
          "name",
          "number",
          "kind",
          "sizeBytes",
          "lower"
        ],
        "additionalProperties": false,
        "properties": {
          "name": {
            "description": "The kernel's name, for example dm-3.",
            "type": "string"
          },
          "number": {
            "description": "major:minor.",
            "type": "string",
            "pattern": "^[0-9]+:[0-9]+$"
          },
          "kind": {
            "type": "string",
            "enum": [
              "disk",
              "partition",
              "lvm",
              "crypt",
              "multipath",
              "dm",
              "loop",
              "raid"
            ]
          },
          "label": {
            "description": "Device-mapper name, or the file behind a loop device.",
            "type": "string"
          },
          "uuid": {
            "description": "Device-mapper UUID.",
            "type": "string"
          },
          "sizeBytes": {
            "type": "integer",
            "minimum": 0
          },
          "lower": {
            "description": "Kernel names of the devices directly below.",
            "type": "array",
            "items": {
              "type": "string"
            }
          }
        }
      },
      "volume": {
        "title": "Volume",
        "description": "A mounted file system, the paths on it that are to be captured, and the block devices below it.",
        "type": "object",
        "required": [
          "id",
          "mountPoint",
          "fsType",
          "source",
          "root",
          "devices",
          "paths",
          "exclude"
        ],
        "additionalProperties": false,
        "properties": {
          "id": {
            "description": "Stable for as long as it is mounted: two paths on one file system have the same id.",
            "type": "string"
          },
          "mountPoint": {
            "type": "string"
          },
          "fsType": {
            "type": "string"
          },
          "source": {
            "description": "As in the mount table: /dev/mapper/vg0-data, tmpfs, host:/export.",
            "type": "string"
          },
          "root": {
            "description": "What of the file system is mounted there: / or a subvolume or a bind-mounted folder.",
            "type": "string"
          },
          "devices": {
            "description": "Top first; empty where the file system has no block device.",
            "type": "array",
            "items": {
              "$ref": "#/$defs/blockDevice"
            }
          },
          "paths": {
            "description": "Absolute, each on this volume.",
            "type": "array",
            "minItems": 1,
            "items": {
              "type": "string",
              "pattern": "^/"
            }
          },
          "exclude": {
            "description": "Absolute; see Component.exclude.",
            "type": "array",
            "items": {
              "type": "string",
              "pattern": "^/"
            }
          }
        }
      },
      "support": {
        "title": "Support",
        "description": "A provider's answer to match: null is \"not mine\".",
        "anyOf": [
          {
            "type": "null"
          },
          {
            "title": "Qualities",
            "type": "object",
            "required": [
              "pointInTime",
              "atomicGroup"
            ],
            "additionalProperties": false,
            "properties": {
              "pointInTime": {
                "description": "The snapshot is of one instant.",
                "type": "boolean"
              },
              "atomicGroup": {
                "description": "All volumes of this provider in one set are of the same instant.",
                "type": "boolean"
              },
              "hold": {
                "description": "What the kernel will be asked to hold while the picture is taken, as prepare will answer it: the volume's file system is flushed and stands still. Empty or not there: nothing is held.",
                "type": "array",
                "items": {
                  "$ref": "#/$defs/holdPoint"
                }
              },
              "revert": {
                "type": "boolean"
              },
              "writable": {
                "description": "The snapshot can be exposed writable.",
                "type": "boolean"
              },
              "method": {
                "description": "What will be done, in a few words: shown by plan.",
                "type": "string"
              },
              "where": {
                "description": "Where the snapshot will lie: shown by plan.",
                "type": "string"
              }
            }
          }
        ]
      },
      "holdPoint": {
        "title": "HoldPoint",
        "type": "object",
        "required": [
          "kind"
        ],
        "discriminator": {
          "propertyName": "kind"
        },
        "oneOf": [
          {
            "type": "object",
            "required": [
              "kind",
              "name"
            ],
            "additionalProperties": false,
            "properties": {
              "kind": {
                "const": "dm"
              },
              "name": {
                "$ref": "#/$defs/dmName"
              }
            }
          },
          {
            "type": "object",
            "required": [
              "kind",
              "mount"
            ],
            "additionalProperties": false,
            "properties": {
              "kind": {
                "const": "fs"
              },
              "mount": {
                "type": "string",
                "pattern": "^/"
              }
            }
          }
        ]
      },
      "commitOp": {
        "title": "CommitOp",
        "description": "One step of the commit, done while everything is held. All but two are single kernel calls that the keeper makes, in the order given; devices go by their device-mapper names. `parallel`: chains that do not depend on each other, such as those of several volumes; each is done in its own order, and what the kernel has to wait for in all of them it waits for at once. `plugin`, wherever it stands: the commit cannot be data; after all kernel calls the host calls provider.commit().",
        "type": "object",
        "required": [
          "op"
        ],
        "discriminator": {
          "propertyName": "op"
        },
        "oneOf": [
          {
            "type": "object",
            "required": [
              "op"
            ],
            "additionalProperties": false,
            "properties": {
              "op": {
                "const": "plugin"
              }
            }
          },
          {
            "type": "object",
            "required": [
              "op",
              "chains"
            ],
            "additionalProperties": false,
            "properties": {
              "op": {
                "const": "parallel"
              },
              "chains": {
                "type": "array",
                "items": {
                  "type": "array",
                  "items": {
                    "$ref": "#/$defs/commitOp"
                  }
                }
              }
            }
          },
          {
            "type": "object",
            "required": [
              "op",
              "device",
              "message"
            ],
            "additionalProperties": false,
            "properties": {
              "op": {
                "const": "dm-message"
              },
              "device": {
                "$ref": "#/$defs/dmName"
              },
              "sector": {
                "description": "Which target of the table is meant; 0 if not given.",
                "type": "integer",
                "minimum": 0
              },
              "message": {
                "description": "For example create_snap 2 1.",
                "type": "string",
                "minLength": 1
              }
            }
          },
          {
            "type": "object",
            "required": [
              "op",
              "device",
              "table"
            ],
            "additionalProperties": false,
            "properties": {
              "op": {
                "const": "dm-load"
              },
              "device": {
                "$ref": "#/$defs/dmName"
              },
              "table": {
                "type": "array",
                "minItems": 1,
                "items": {
                  "$ref": "#/$defs/dmTarget"
                }
              }
            }
          },
          {
            "type": "object",
            "required": [
              "op",
              "device"
            ],
            "additionalProperties": false,
            "properties": {
              "op": {
                "const": "dm-create"
              },
              "device": {
                "$ref": "#/$defs/dmName"
              },
              "uuid": {
                "type": "string",
                "minLength": 1,
                "maxLength": 128
              }
            }
          },
          {
            "type": "object",
            "required": [
              "op",
              "device"
            ],
            "additionalProperties": false,
            "properties": {
              "op": {
                "const": "dm-resume"
              },
              "device": {
                "$ref": "#/$defs/dmName"
              }
            }
          },
          {
            "type": "object",
            "required": [
              "op",
              "device"
            ],
            "additionalProperties": false,
            "properties": {
              "op": {
                "const": "dm-remove"
              },
              "device": {
                "$ref": "#/$defs/dmName"
              }
            }
          },
          {
            "type": "object",
            "required": [
              "op",
              "subvolume",
              "folder",
              "name"
            ],
            "additionalProperties": false,
            "properties": {
              "op": {
                "const": "btrfs-snapshot"
              },
              "subvolume": {
                "description": "Root of the subvolume that is captured.",
                "type": "string",
                "pattern": "^/"
              },
              "folder": {
                "description": "Where the snapshot is made, on the same file system.",
                "type": "string",
                "pattern": "^/"
              },
              "name": {
                "type": "string",
                "pattern": "^[^/]+$",
                "maxLength": 255
              },
              "writable": {
                "description": "Read-only if not given.",
                "type": "boolean"
              }
            }
          }
        ]
      },
      "dmName": {
        "title": "DmName",
        "description": "Name of a device-mapper device, without /dev/mapper/.",
        "type": "string",
        "minLength": 1,
        "maxLength": 127
      },
      "dmTarget": {
        "title": "DmTarget",
        "description": "One line of a device-mapper table; start and length in sectors of 512 bytes.",
        "type": "object",
        "required": [
          "start",
          "length",
          "type",
          "params"
        ],
        "additionalProperties": false,
        "properties": {
          "start": {
            "type": "integer",
            "minimum": 0
          },
          "length": {
            "type": "integer",
            "minimum": 1
          },
          "type": {
            "type": "string",
            "minLength": 1,
            "maxLength": 15
          },
          "params": {
            "type": "string"
          }
        }
      },
      "criticalSection": {
        "title": "CriticalSection",
        "description": "A provider's answer to prepare: what is to be held, and what is to be done while it is.",
        "type": "object",
        "required": [
          "hold",
          "commit"
        ],
        "additionalProperties": false,
        "properties": {
          "hold": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/holdPoint"
            }
          },
          "commit": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/commitOp"
            }
          }
        }
      },
      "freezeToken": {
        "title": "FreezeToken",
        "description": "Any JSON value but null; handed back to thaw and to abort.",
        "type": [
          "string",
          "number",
          "boolean",
          "object",
          "array"
        ],
        "tsType": "string | number | boolean | { compensation?: Compensation; [k: string]: unknown } | unknown[]",
        "properties": {
          "compensation": {
            "$ref": "#/$defs/compensation"
          }
        }
      },
      "compensation": {
        "title": "Compensation",
        "description": "A command that thaws the application where the plugin cannot any more. The host runs it before abort when the worker is dead, and after its own death. It may come to an application that goes on already. Its program is one that the manifest's requires.commands names.",
        "type": "object",
        "required": [
          "command"
        ],
        "additionalProperties": false,
        "properties": {
          "command": {
            "type": "string",
            "minLength": 1
          },
          "args": {
            "type": "array",
            "items": {
              "type": "string"
            }
          }
        }
      },
      "thawReport": {
        "title": "ThawReport",
        "type": "object",
        "required": [
          "held"
        ],
        "additionalProperties": false,
        "properties": {
          "held": {
            "description": "The freeze was in force from freeze to this thaw, without a gap.",
            "type": "boolean"
          },
          "why": {
            "description": "If not held: what was seen.",
            "type": "string"
          },
          "facts": {
            "type": "object",
            "additionalProperties": true
          }
        }
      },
      "sidecar": {
        "title": "Sidecar",
        "description": "What a writer keeps with the set: files that it wrote into tx.sidecarDir, and facts.",
        "type": "object",
        "required": [
          "files"
        ],
        "additionalProperties": false,
        "properties": {
          "files": {
            "description": "Relative to tx.sidecarDir.",
            "type": "array",
            "uniqueItems": true,
            "items": {
              "type": "string",
              "pattern": "^(?!/)(?!.*(^|/)\\.\\.(/|$)).+$"
            }
          },
          "facts": {
            "type": "object",
            "additionalProperties": true
          }
        }
      },
      "snapshot": {
        "title": "Snapshot",
        "type": "object",
        "required": [
          "id",
          "setId",
          "volumeId",
          "createdAt"
        ],
        "additionalProperties": false,
        "properties": {
          "id": {
            "description": "The provider's own name for it; unique within the provider.",
            "type": "string",
            "minLength": 1
          },
          "of": {
            "description": "Id of the snapshot that this one is a fork of; not there in one that was cut.",
            "type": "string",
            "minLength": 1
          },
          "setId": {
            "type": "string",
            "minLength": 1
          },
          "volumeId": {
            "type": "string"
          },
          "createdAt": {
            "type": "string"
          },
          "bytes": {
            "description": "Space that it takes of its own, as far as known.",
            "type": "integer",
            "minimum": 0
          },
          "method": {
            "description": "reflink, copy, thin, …",
            "type": "string"
          },
          "fill": {
            "title": "Fill",
            "description": "How full the room is that what changes is kept in, as of now: only list tells it.",
            "type": "object",
            "required": [
              "percent",
              "where"
            ],
            "additionalProperties": false,
            "properties": {
              "percent": {
                "type": "number",
                "minimum": 0,
                "maximum": 100
              },
              "where": {
                "description": "Whose room it is: the snapshot's own, or a pool's that others use too.",
                "type": "string",
                "minLength": 1
              }
            }
          },
          "lost": {
            "description": "Why it cannot be shown any more, in a few words; not there in one that is whole. Only list tells it, and the record of one that a revert has used up.",
            "type": "string",
            "minLength": 1
          },
          "facts": {
            "type": "object",
            "additionalProperties": true
          }
        }
      },
      "snapshots": {
        "title": "Snapshots",
        "type": "array",
        "items": {
          "$ref": "#/$defs/snapshot"
        }
      },
      "exposed": {
        "title": "Exposed",
        "description": "Where a snapshot can be read.",
        "type": "object",
        "required": [
          "trees",
          "readOnly"
        ],
        "additionalProperties": false,
        "properties": {
          "trees": {
            "type": "array",
            "minItems": 1,
            "items": {
              "title": "ExposedTree",
              "type": "object",
              "required": [
                "original",
                "path"
              ],
              "additionalProperties": false,
              "properties": {
                "original": {
                  "description": "The path that was captured.",
                  "type": "string",
                  "pattern": "^/"
                },
                "path": {
                  "description": "Where its picture lies.",
                  "type": "string",
                  "pattern": "^/"
                }
              }
            }
          },
          "readOnly": {
            "type": "boolean"
          }
        }
      },
      "report": {
        "title": "Report",
        "description": "The answer of recover and verify.",
        "type": "object",
        "required": [
          "ok"
        ],
        "additionalProperties": false,
        "properties": {
          "ok": {
            "type": "boolean"
          },
          "why": {
            "type": "string"
          },
          "facts": {
            "type": "object",
            "additionalProperties": true
          }
        }
      },
      "nothing": {
        "title": "Nothing",
        "type": "null"
      }
    }
  },
  "event.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/event.v1.schema.json",
    "title": "Event",
    "description": "One line of the progress stream (create --json=stream).",
    "type": "object",
    "required": [
      "type",
      "at",
      "ms"
    ],
    "discriminator": {
      "propertyName": "type"
    },
    "oneOf": [
      {
        "$ref": "#/$defs/begun"
      },
      {
        "$ref": "#/$defs/queued"
      },
      {
        "$ref": "#/$defs/phase"
      },
      {
        "$ref": "#/$defs/call"
      },
      {
        "$ref": "#/$defs/progress"
      },
      {
        "$ref": "#/$defs/log"
      },
      {
        "$ref": "#/$defs/leftOut"
      },
      {
        "$ref": "#/$defs/warning"
      },
      {
        "$ref": "#/$defs/ended"
      }
    ],
    "$defs": {
      "fault": {
        "title": "Fault",
        "description": "An error as data: code, a sentence, what was seen, the next step.",
        "type": "object",
        "required": [
          "code",
          "message"
        ],
        "additionalProperties": false,
        "properties": {
          "code": {
            "type": "string",
            "pattern": "^E_[A-Z0-9_]+$"
          },
          "message": {
            "type": "string"
          },
          "hint": {
            "type": "string"
          },
          "details": {
            "type": "object",
            "additionalProperties": true
          }
        }
      },
      "begun": {
        "title": "BegunEvent",
        "type": "object",
        "required": [
          "type",
          "at",
          "ms",
          "transaction",
          "targets",
          "cut",
          "writers",
          "providers"
        ],
        "additionalProperties": false,
        "properties": {
          "type": {
            "const": "begun"
          },
          "at": {
            "type": "string"
          },
          "ms": {
            "type": "number"
          },
          "transaction": {
            "type": "string"
          },
          "targets": {
            "type": "array",
            "items": {
              "type": "string"
            }
          },
          "cut": {
            "type": "string",
            "enum": [
              "atomic",
              "per-volume",
              "fuzzy"
            ]
          },
          "writers": {
            "type": "array",
            "items": {
              "type": "string"
            }
          },
          "providers": {
            "type": "array",
            "items": {
              "type": "string"
            }
          }
        }
      },
      "queued": {
        "title": "QueuedEvent",
        "description": "A volume is owned by another transaction; this one waits.",
        "type": "object",
        "required": [
          "type",
          "at",
          "ms",
          "volume",
          "owner"
        ],
        "additionalProperties": false,
        "properties": {
          "type": {
            "const": "queued"
          },
          "at": {
            "type": "string"
          },
          "ms": {
            "type": "number"
          },
          "volume": {
            "type": "string"
          },
          "position": {
            "description": "Of those that wait in this process; 1 is next. Told again when it changes.",
            "type": "integer",
            "minimum": 1
          },
          "owner": {
            "title": "VolumeOwner",
            "type": "object",
            "required": [
              "pid",
              "transaction",
              "since"
            ],
            "additionalProperties": false,
            "properties": {
              "pid": {
                "type": "integer"
              },
              "transaction": {
                "type": "string"
              },
              "since": {
                "type": "string"
              }
            }
          }
        }
      },
      "phase": {
        "title": "PhaseEvent",
        "type": "object",
        "required": [
          "type",
          "at",
          "ms",
          "phase",
          "limitMs"
        ],
        "additionalProperties": false,
        "properties": {
          "type": {
            "const": "phase"
          },
          "at": {
            "type": "string"
          },
          "ms": {
            "type": "number"
          },
          "phase": {
            "type": "string"
          },
          "limitMs": {
            "type": "number"
          }
        }
      },
      "call": {
        "title": "CallEvent",
        "type": "object",
        "required": [
          "type",
          "at",
          "ms",
          "actor",
          "op",
          "status"
        ],
        "additionalProperties": false,
        "properties": {
          "type": {
            "const": "call"
          },
          "at": {
            "type": "string"
          },
          "ms": {
            "type": "number"
          },
          "actor": {
            "type": "string"
          },
          "op": {
            "type": "string"
          },
          "status": {
            "type": "string",
            "enum": [
              "begun",
              "ok",
              "failed"
            ]
          },
          "limitMs": {
            "type": "number"
          },
          "elapsedMs": {
            "type": "number"
          },
          "error": {
            "$ref": "#/$defs/fault"
          }
        }
      },
      "progress": {
        "title": "ProgressEvent",
        "type": "object",
        "required": [
          "type",
          "at",
          "ms",
          "actor",
          "message"
        ],
        "additionalProperties": false,
        "properties": {
          "type": {
            "const": "progress"
          },
          "at": {
            "type": "string"
          },
          "ms": {
            "type": "number"
          },
          "actor": {
            "type": "string"
          },
          "message": {
            "type": "string"
          },
          "done": {
            "type": "number"
          },
          "total": {
            "type": "number"
          }
        }
      },
      "log": {
        "title": "LogEvent",
        "type": "object",
        "required": [
          "type",
          "at",
          "ms",
          "actor",
          "level",
          "message"
        ],
        "additionalProperties": false,
        "properties": {
          "type": {
            "const": "log"
          },
          "at": {
            "type": "string"
          },
          "ms": {
            "type": "number"
          },
          "actor": {
            "type": "string"
          },
          "level": {
            "type": "string",
            "enum": [
              "debug",
              "info",
              "warn",
              "error"
            ]
          },
          "message": {
            "type": "string"
          },
          "fields": {
            "type": "object",
            "additionalProperties": true
          }
        }
      },
      "leftOut": {
        "title": "LeftOutEvent",
        "description": "A best-effort writer failed and takes no further part.",
        "type": "object",
        "required": [
          "type",
          "at",
          "ms",
          "actor",
          "error"
        ],
        "additionalProperties": false,
        "properties": {
          "type": {
            "const": "left-out"
          },
          "at": {
            "type": "string"
          },
          "ms": {
            "type": "number"
          },
          "actor": {
            "type": "string"
          },
          "error": {
            "$ref": "#/$defs/fault"
          }
        }
      },
      "warning": {
        "title": "WarningEvent",
        "type": "object",
        "required": [
          "type",
          "at",
          "ms",
          "message"
        ],
        "additionalProperties": false,
        "properties": {
          "type": {
            "const": "warning"
          },
          "at": {
            "type": "string"
          },
          "ms": {
            "type": "number"
          },
          "message": {
            "type": "string"
          },
          "hint": {
            "type": "string"
          }
        }
      },
      "ended": {
        "title": "EndedEvent",
        "description": "Always last.",
        "type": "object",
        "required": [
          "type",
          "at",
          "ms",
          "outcome",
          "exitCode",
          "residue"
        ],
        "additionalProperties": false,
        "properties": {
          "type": {
            "const": "ended"
          },
          "at": {
            "type": "string"
          },
          "ms": {
            "type": "number"
          },
          "outcome": {
            "type": "string",
            "enum": [
              "created",
              "degraded",
              "refused",
              "aborted",
              "interrupted",
              "broken"
            ]
          },
          "exitCode": {
            "type": "integer"
          },
          "set": {
            "type": "string"
          },
          "consistency": {
            "type": "string",
            "enum": [
              "application",
              "filesystem",
              "crash",
              "none"
            ]
          },
          "error": {
            "$ref": "#/$defs/fault"
          },
          "residue": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/residue"
            }
          }
        }
      },
      "residue": {
        "title": "Residue",
        "description": "What could not be undone.",
        "type": "object",
        "required": [
          "actor",
          "op",
          "error"
        ],
        "additionalProperties": false,
        "properties": {
          "actor": {
            "type": "string"
          },
          "op": {
            "type": "string"
          },
          "error": {
            "$ref": "#/$defs/fault"
          }
        }
      }
    }
  },
  "history.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/history.v1.schema.json",
    "title": "PastTransaction",
    "description": "One line of history.jsonl in the state directory: a transaction that is over. It stays when its set is deleted.",
    "type": "object",
    "required": [
      "at",
      "outcome",
      "targets",
      "timeline"
    ],
    "additionalProperties": false,
    "properties": {
      "id": {
        "description": "Not there where it was refused before it began.",
        "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
      },
      "at": {
        "description": "When it ended. ISO 8601, UTC.",
        "type": "string"
      },
      "outcome": {
        "type": "string",
        "enum": [
          "created",
          "degraded",
          "aborted",
          "interrupted",
          "broken",
          "refused"
        ]
      },
      "name": {
        "type": "string"
      },
      "targets": {
        "type": "array",
        "items": {
          "type": "string"
        }
      },
      "consistency": {
        "$ref": "snapshot-set.v1.schema.json#/$defs/consistency"
      },
      "frozenMs": {
        "type": "number",
        "minimum": 0
      },
      "cause": {
        "description": "Why there is no set.",
        "$ref": "event.v1.schema.json#/$defs/fault"
      },
      "timeline": {
        "type": "array",
        "items": {
          "$ref": "snapshot-set.v1.schema.json#/$defs/span"
        }
      }
    }
  },
  "journal.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/journal.v1.schema.json",
    "title": "JournalEntry",
    "description": "One line of a transaction's journal: on disk before the action that it announces.",
    "type": "object",
    "required": [
      "entry"
    ],
    "discriminator": {
      "propertyName": "entry"
    },
    "oneOf": [
      {
        "$ref": "#/$defs/begun"
      },
      {
        "$ref": "#/$defs/asked"
      },
      {
        "$ref": "#/$defs/answered"
      },
      {
        "$ref": "#/$defs/ended"
      }
    ],
    "$defs": {
      "op": {
        "title": "JournaledOp",
        "type": "string",
        "enum": [
          "prepare",
          "freeze",
          "commit",
          "thaw",
          "seal",
          "recover",
          "preserve",
          "abort"
        ]
      },
      "enlisted": {
        "title": "Enlisted",
        "description": "A plugin that takes part, with all that an abort in a blank worker needs to know.",
        "type": "object",
        "required": [
          "who"
        ],
        "additionalProperties": false,
        "properties": {
          "who": {
            "title": "EnlistedPlugin",
            "type": "object",
            "required": [
              "role",
              "instance",
              "plugin",
              "version"
            ],
            "additionalProperties": false,
            "properties": {
              "role": {
                "type": "string",
                "enum": [
                  "writer",
                  "provider"
                ]
              },
              "instance": {
                "type": "string",
                "pattern": "^[a-z0-9][a-z0-9._-]{0,63}$"
              },
              "plugin": {
                "type": "string"
              },
              "version": {
                "type": "string"
              }
            }
          },
          "components": {
            "description": "Of a writer.",
            "$ref": "components.v1.schema.json"
          },
          "cut": {
            "description": "Of a writer: how its own volumes are captured.",
            "$ref": "snapshot-set.v1.schema.json#/$defs/cut"
          }
        }
      },
      "begun": {
        "title": "BegunEntry",
        "type": "object",
        "required": [
          "entry",
          "version",
          "id",
          "pid",
          "at",
          "cut",
          "targets",
          "enlisted"
        ],
        "additionalProperties": false,
        "properties": {
          "entry": {
            "const": "begun"
          },
          "version": {
            "const": 1
          },
          "id": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
          },
          "pid": {
            "type": "integer"
          },
          "at": {
            "type": "string"
          },
          "cut": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/cut"
          },
          "targets": {
            "type": "array",
            "items": {
              "type": "string"
            }
          },
          "enlisted": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/enlisted"
            }
          }
        }
      },
      "asked": {
        "title": "AskedEntry",
        "type": "object",
        "required": [
          "entry",
          "actor",
          "op"
        ],
        "additionalProperties": false,
        "properties": {
          "entry": {
            "const": "asked"
          },
          "actor": {
            "type": "string"
          },
          "op": {
            "$ref": "#/$defs/op"
          }
        }
      },
      "answered": {
        "title": "AnsweredEntry",
        "type": "object",
        "required": [
          "entry",
          "actor",
          "op"
        ],
        "additionalProperties": false,
        "properties": {
          "entry": {
            "const": "answered"
          },
          "actor": {
            "type": "string"
          },
          "op": {
            "$ref": "#/$defs/op"
          },
          "token": {
            "$ref": "contract.v1.schema.json#/$defs/freezeToken"
          },
          "fault": {
            "$ref": "event.v1.schema.json#/$defs/fault"
          }
        }
      },
      "ended": {
        "title": "EndedEntry",
        "type": "object",
        "required": [
          "entry",
          "outcome",
          "residue"
        ],
        "additionalProperties": false,
        "properties": {
          "entry": {
            "const": "ended"
          },
          "outcome": {
            "type": "string",
            "enum": [
              "created",
              "aborted"
            ]
          },
          "residue": {
            "type": "array",
            "items": {
              "title": "JournaledResidue",
              "type": "object",
              "required": [
                "actor",
                "fault"
              ],
              "additionalProperties": false,
              "properties": {
                "actor": {
                  "type": "string"
                },
                "fault": {
                  "$ref": "event.v1.schema.json#/$defs/fault"
                }
              }
            }
          }
        }
      }
    }
  },
  "lock.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/lock.v1.schema.json",
    "title": "PluginLock",
    "description": "holdstill.lock.json, beside the config: pins every plugin that may be loaded to its content.",
    "type": "object",
    "required": [
      "lockVersion",
      "plugins"
    ],
    "additionalProperties": false,
    "properties": {
      "$schema": {
        "type": "string"
      },
      "lockVersion": {
        "const": 1
      },
      "plugins": {
        "type": "array",
        "items": {
          "title": "LockedPlugin",
          "type": "object",
          "required": [
            "name",
            "version",
            "content",
            "files"
          ],
          "additionalProperties": false,
          "properties": {
            "name": {
              "type": "string"
            },
            "version": {
              "type": "string"
            },
            "content": {
              "description": "SHA-256 over `files`: the plugin's fingerprint, to be compared by eye.",
              "$ref": "#/$defs/digest"
            },
            "files": {
              "description": "Every file and link of the folder by its relative path: SHA-256 over mode and content. That of plugin.json is the manifest's.",
              "type": "object",
              "required": [
                "plugin.json"
              ],
              "additionalProperties": {
                "$ref": "#/$defs/digest"
              }
            }
          }
        }
      }
    },
    "$defs": {
      "digest": {
        "title": "Digest",
        "type": "string",
        "pattern": "^sha256-[0-9a-f]{64}$"
      }
    }
  },
  "plugin-manifest.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/plugin-manifest.v1.schema.json",
    "title": "PluginManifest",
    "description": "plugin.json: what a plugin is, what it needs and what it speaks.",
    "type": "object",
    "required": [
      "manifestVersion",
      "name",
      "version",
      "kind",
      "protocol",
      "engines",
      "main"
    ],
    "additionalProperties": false,
    "properties": {
      "$schema": {
        "type": "string"
      },
      "manifestVersion": {
        "const": 1
      },
      "name": {
        "description": "Lower case, digits and hyphens.",
        "type": "string",
        "pattern": "^[a-z][a-z0-9-]{0,63}$"
      },
      "version": {
        "description": "Semantic version. Several versions of a plugin may lie side by side.",
        "type": "string"
      },
      "kind": {
        "type": "string",
        "enum": [
          "writer",
          "provider"
        ]
      },
      "description": {
        "type": "string"
      },
      "protocol": {
        "description": "Contract versions that the plugin speaks. The host takes the highest that both know.",
        "type": "array",
        "minItems": 1,
        "uniqueItems": true,
        "items": {
          "type": "integer",
          "minimum": 1
        }
      },
      "engines": {
        "type": "object",
        "required": [
          "holdstill"
        ],
        "additionalProperties": false,
        "properties": {
          "holdstill": {
            "description": "Semantic version range of the hosts that the plugin runs on.",
            "type": "string"
          }
        }
      },
      "main": {
        "description": "Entry: an ES module inside the plugin's folder whose default export is the plugin.",
        "type": "string",
        "pattern": "^\\./(?!.*\\.\\./).+\\.m?js$"
      },
      "options": {
        "description": "JSON Schema (2020-12) of the plugin's block in the config, defaults included. What it marks with \"writeOnly\": true is a secret: the config may refer to it with {\"env\": NAME} or {\"file\": PATH}, the plugin gets the value, and the host takes it out of everything that the plugin says; so never put one into a path, a name or a freeze token.",
        "type": "object",
        "additionalProperties": true
      },
      "requires": {
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "commands": {
            "description": "Programs that ctx.exec may run; nothing else is.",
            "type": "array",
            "uniqueItems": true,
            "items": {
              "type": "string",
              "pattern": "^[A-Za-z0-9][A-Za-z0-9._+-]*$"
            }
          },
          "programs": {
            "description": "Where the options name programs, as JSON pointers into them: a program, a folder of programs, or a file that names some. What is found there may be changed by root and the user who runs holdstill only. ctx.exec then runs programs by absolute path too, each after the same check.",
            "type": "array",
            "uniqueItems": true,
            "items": {
              "type": "string",
              "pattern": "^(/[^/]+)+$"
            }
          },
          "environment": {
            "description": "Environment variables handed to the plugin beside PATH, HOME, LANG and TZ.",
            "type": "array",
            "uniqueItems": true,
            "items": {
              "type": "string",
              "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"
            }
          }
        }
      },
      "isolation": {
        "description": "`thread` (default) contains exceptions, loops and most memory faults. `process` contains native crashes and blocking system calls too.",
        "type": "string",
        "enum": [
          "thread",
          "process"
        ]
      },
      "limits": {
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "memoryMb": {
            "description": "Heap of the plugin's worker, MiB.",
            "type": "integer",
            "minimum": 16,
            "maximum": 65536
          },
          "freezeSeconds": {
            "description": "Longest time that freeze may take, s. The config may lower it.",
            "type": "number",
            "exclusiveMinimum": 0,
            "maximum": 3600
          }
        }
      }
    }
  },
  "service.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/service.v1.schema.json",
    "title": "Service",
    "description": "What the service is asked, and what it answers.",
    "type": "object",
    "additionalProperties": false,
    "properties": {
      "setRequest": {
        "$ref": "#/$defs/setRequest"
      },
      "planRequest": {
        "$ref": "#/$defs/planRequest"
      },
      "completion": {
        "$ref": "#/$defs/completion"
      },
      "restoreRequest": {
        "$ref": "#/$defs/restoreRequest"
      },
      "operationResult": {
        "$ref": "#/$defs/operationResult"
      },
      "operationState": {
        "$ref": "#/$defs/operationState"
      },
      "operation": {
        "$ref": "#/$defs/operation"
      },
      "keptOperation": {
        "$ref": "#/$defs/keptOperation"
      },
      "problem": {
        "$ref": "#/$defs/problem"
      },
      "health": {
        "$ref": "#/$defs/health"
      },
      "plan": {
        "$ref": "#/$defs/plan"
      },
      "writers": {
        "$ref": "#/$defs/writers"
      },
      "providers": {
        "$ref": "#/$defs/providers"
      },
      "plugins": {
        "$ref": "#/$defs/plugins"
      },
      "sets": {
        "$ref": "#/$defs/sets"
      },
      "operations": {
        "$ref": "#/$defs/operations"
      },
      "deleted": {
        "$ref": "#/$defs/deleted"
      },
      "completed": {
        "$ref": "#/$defs/completed"
      },
      "lease": {
        "$ref": "#/$defs/lease"
      },
      "leftovers": {
        "$ref": "#/$defs/leftovers"
      },
      "recovered": {
        "$ref": "#/$defs/recovered"
      },
      "page": {
        "$ref": "#/$defs/page"
      },
      "restorePlan": {
        "$ref": "#/$defs/restorePlan"
      },
      "restored": {
        "$ref": "#/$defs/restored"
      },
      "history": {
        "$ref": "#/$defs/history"
      }
    },
    "$defs": {
      "setRequest": {
        "title": "SetRequest",
        "description": "What is asked for.",
        "type": "object",
        "required": [
          "targets"
        ],
        "additionalProperties": false,
        "properties": {
          "targets": {
            "description": "Paths, mount points, mounted block devices: absolute; or writer:INSTANCE.",
            "type": "array",
            "minItems": 1,
            "maxItems": 256,
            "uniqueItems": true,
            "items": {
              "type": "string",
              "minLength": 1,
              "maxLength": 4096,
              "pattern": "^(/|writer:)"
            }
          },
          "name": {
            "type": "string",
            "minLength": 1,
            "maxLength": 128
          },
          "tags": {
            "type": "object",
            "maxProperties": 64,
            "additionalProperties": {
              "type": "string",
              "maxLength": 1024
            }
          },
          "require": {
            "description": "The lowest consistency that counts as success. Default: what the plan promises.",
            "type": "string",
            "enum": [
              "application",
              "filesystem",
              "crash"
            ]
          },
          "includeRoot": {
            "description": "Holds also what carries `/`, holdstill or its state.",
            "type": "boolean"
          },
          "lease": {
            "description": "The set is to go unless its lease is renewed, or its operation watched, at least this often. Without it the set stays.",
            "$ref": "config.v1.schema.json#/$defs/duration"
          }
        }
      },
      "planRequest": {
        "title": "PlanRequest",
        "type": "object",
        "required": [
          "targets"
        ],
        "additionalProperties": false,
        "properties": {
          "targets": {
            "description": "Paths, mount points, mounted block devices: absolute; or writer:INSTANCE.",
            "type": "array",
            "minItems": 1,
            "maxItems": 256,
            "uniqueItems": true,
            "items": {
              "type": "string",
              "minLength": 1,
              "maxLength": 4096,
              "pattern": "^(/|writer:)"
            }
          },
          "require": {
            "description": "The lowest consistency that counts as success. Default: what the plan promises.",
            "type": "string",
            "enum": [
              "application",
              "filesystem",
              "crash"
            ]
          },
          "includeRoot": {
            "description": "Holds also what carries `/`, holdstill or its state.",
            "type": "boolean"
          }
        }
      },
      "completion": {
        "title": "Completion",
        "type": "object",
        "required": [
          "succeeded"
        ],
        "additionalProperties": false,
        "properties": {
          "succeeded": {
            "description": "Whether the backup that was made from the set is safe.",
            "type": "boolean"
          },
          "type": {
            "description": "copy (default): logs are left alone. full: their owner may cut them.",
            "type": "string",
            "enum": [
              "copy",
              "full"
            ]
          }
        }
      },
      "restoreRequest": {
        "title": "RestoreRequest",
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "components": {
            "description": "WRITER, WRITER/COMPONENT or a path, as the set has them. Default: everything.",
            "type": "array",
            "maxItems": 1024,
            "items": {
              "type": "string",
              "minLength": 1,
              "maxLength": 4096
            }
          },
          "to": {
            "description": "Below this folder. Default: over the originals.",
            "type": "string",
            "pattern": "^/",
            "maxLength": 4096
          }
        }
      },
      "operationResult": {
        "title": "OperationResult",
        "description": "How an operation ended. `set` is there where there is one, `error` where there is none.",
        "type": "object",
        "required": [
          "outcome",
          "exitCode",
          "residue",
          "timeline"
        ],
        "additionalProperties": false,
        "properties": {
          "outcome": {
            "type": "string",
            "enum": [
              "created",
              "degraded",
              "refused",
              "aborted",
              "interrupted",
              "broken"
            ]
          },
          "exitCode": {
            "description": "What the command line would have ended with.",
            "type": "integer"
          },
          "set": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
          },
          "error": {
            "$ref": "event.v1.schema.json#/$defs/fault"
          },
          "residue": {
            "type": "array",
            "items": {
              "$ref": "event.v1.schema.json#/$defs/residue"
            }
          },
          "timeline": {
            "type": "array",
            "items": {
              "$ref": "snapshot-set.v1.schema.json#/$defs/span"
            }
          }
        }
      },
      "operationState": {
        "title": "OperationState",
        "description": "accepted: it is planned. running: the phase that it is in.",
        "type": "object",
        "required": [
          "at"
        ],
        "discriminator": {
          "propertyName": "at"
        },
        "oneOf": [
          {
            "title": "AcceptedState",
            "type": "object",
            "required": [
              "at"
            ],
            "additionalProperties": false,
            "properties": {
              "at": {
                "const": "accepted"
              }
            }
          },
          {
            "title": "QueuedState",
            "description": "A volume belongs to another transaction. Position 1 is next.",
            "type": "object",
            "required": [
              "at",
              "volume",
              "owner"
            ],
            "additionalProperties": false,
            "properties": {
              "at": {
                "const": "queued"
              },
              "volume": {
                "type": "string"
              },
              "owner": {
                "$ref": "event.v1.schema.json#/$defs/queued/properties/owner"
              },
              "position": {
                "type": "integer",
                "minimum": 1
              }
            }
          },
          {
            "title": "RunningState",
            "type": "object",
            "required": [
              "at",
              "phase"
            ],
            "additionalProperties": false,
            "properties": {
              "at": {
                "const": "running"
              },
              "phase": {
                "type": "string"
              }
            }
          },
          {
            "title": "EndedState",
            "type": "object",
            "required": [
              "at",
              "endedAt",
              "result"
            ],
            "additionalProperties": false,
            "properties": {
              "at": {
                "const": "ended"
              },
              "endedAt": {
                "description": "ISO 8601, UTC.",
                "type": "string"
              },
              "result": {
                "$ref": "#/$defs/operationResult"
              }
            }
          }
        ]
      },
      "operation": {
        "title": "Operation",
        "description": "A set that is being taken, or was.",
        "type": "object",
        "required": [
          "id",
          "acceptedAt",
          "requester",
          "request",
          "state"
        ],
        "additionalProperties": false,
        "properties": {
          "id": {
            "description": "Also the id that the set will have.",
            "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
          },
          "acceptedAt": {
            "description": "ISO 8601, UTC.",
            "type": "string"
          },
          "requester": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/requester"
          },
          "request": {
            "$ref": "#/$defs/setRequest"
          },
          "state": {
            "$ref": "#/$defs/operationState"
          }
        }
      },
      "keptOperation": {
        "title": "KeptOperation",
        "description": "An operation in the state directory, so that a service that died can be asked for it.",
        "type": "object",
        "required": [
          "operation"
        ],
        "additionalProperties": false,
        "properties": {
          "operation": {
            "$ref": "#/$defs/operation"
          },
          "key": {
            "title": "IdempotencyKey",
            "type": "object",
            "required": [
              "name",
              "fingerprint"
            ],
            "additionalProperties": false,
            "properties": {
              "name": {
                "type": "string"
              },
              "fingerprint": {
                "description": "SHA-256 of the request.",
                "type": "string",
                "pattern": "^[0-9a-f]{64}$"
              }
            }
          }
        }
      },
      "problem": {
        "title": "Problem",
        "description": "An error, RFC 9457 (application/problem+json).",
        "type": "object",
        "required": [
          "type",
          "title",
          "status",
          "code",
          "hint",
          "details"
        ],
        "additionalProperties": false,
        "properties": {
          "type": {
            "type": "string",
            "pattern": "^urn:holdstill:error:E_[A-Z0-9_]+$"
          },
          "title": {
            "description": "The error's sentence.",
            "type": "string"
          },
          "status": {
            "type": "integer",
            "minimum": 400,
            "maximum": 599
          },
          "code": {
            "type": "string",
            "pattern": "^E_[A-Z0-9_]+$"
          },
          "hint": {
            "description": "The next step.",
            "type": "string"
          },
          "details": {
            "description": "What was seen.",
            "type": "object",
            "additionalProperties": true
          }
        }
      },
      "health": {
        "title": "Health",
        "type": "object",
        "required": [
          "status",
          "api",
          "version",
          "pid",
          "since",
          "config",
          "stateDir",
          "limitsMs",
          "operations",
          "leases",
          "you"
        ],
        "additionalProperties": false,
        "properties": {
          "status": {
            "const": "ok"
          },
          "api": {
            "const": "v1"
          },
          "version": {
            "type": "string"
          },
          "pid": {
            "type": "integer",
            "minimum": 0
          },
          "since": {
            "description": "ISO 8601, UTC.",
            "type": "string"
          },
          "config": {
            "type": [
              "string",
              "null"
            ]
          },
          "stateDir": {
            "type": "string"
          },
          "limitsMs": {
            "description": "The longest time of each part of a transaction.",
            "type": "object",
            "additionalProperties": {
              "type": "number"
            }
          },
          "operations": {
            "title": "OperationCount",
            "type": "object",
            "required": [
              "open",
              "limit"
            ],
            "additionalProperties": false,
            "properties": {
              "open": {
                "type": "integer",
                "minimum": 0
              },
              "limit": {
                "type": "integer",
                "minimum": 0
              }
            }
          },
          "leases": {
            "type": "integer",
            "minimum": 0
          },
          "you": {
            "title": "Caller",
            "description": "Whom the kernel says that you are, and what you may do.",
            "type": "object",
            "required": [
              "requester",
              "rights"
            ],
            "additionalProperties": false,
            "properties": {
              "requester": {
                "$ref": "snapshot-set.v1.schema.json#/$defs/requester"
              },
              "rights": {
                "type": "array",
                "items": {
                  "type": "string",
                  "enum": [
                    "read",
                    "create",
                    "delete",
                    "restore"
                  ]
                }
              }
            }
          }
        }
      },
      "plan": {
        "title": "PlanDocument",
        "description": "What a transaction would do.",
        "type": "object",
        "required": [
          "id",
          "request",
          "cut",
          "volumes",
          "writers",
          "providers",
          "components",
          "leftOut",
          "warnings",
          "promised",
          "asked"
        ],
        "additionalProperties": false,
        "properties": {
          "id": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
          },
          "request": {
            "title": "PlannedRequest",
            "description": "What was asked for.",
            "type": "object",
            "required": [
              "targets"
            ],
            "additionalProperties": false,
            "properties": {
              "targets": {
                "description": "As they were named.",
                "type": "array",
                "items": {
                  "type": "string"
                }
              },
              "name": {
                "type": "string"
              },
              "tags": {
                "type": "object",
                "additionalProperties": {
                  "type": "string"
                }
              },
              "require": {
                "description": "The lowest consistency that counts as success. Default: what is promised.",
                "type": "string",
                "enum": [
                  "application",
                  "filesystem",
                  "crash"
                ]
              },
              "includeRoot": {
                "type": "boolean"
              },
              "lease": {
                "$ref": "snapshot-set.v1.schema.json#/$defs/lease"
              },
              "id": {
                "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
              },
              "requester": {
                "$ref": "snapshot-set.v1.schema.json#/$defs/requester"
              }
            }
          },
          "cut": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/cut"
          },
          "volumes": {
            "type": "array",
            "items": {
              "title": "PlannedVolumeDocument",
              "type": "object",
              "required": [
                "volume",
                "provider",
                "qualities"
              ],
              "additionalProperties": false,
              "properties": {
                "volume": {
                  "$ref": "contract.v1.schema.json#/$defs/volume"
                },
                "provider": {
                  "description": "Instance name.",
                  "type": "string"
                },
                "qualities": {
                  "$ref": "contract.v1.schema.json#/$defs/support/anyOf/1"
                }
              }
            }
          },
          "writers": {
            "type": "array",
            "items": {
              "title": "PlannedWriterDocument",
              "type": "object",
              "required": [
                "who",
                "policy",
                "components",
                "volumes",
                "cut"
              ],
              "additionalProperties": false,
              "properties": {
                "who": {
                  "$ref": "journal.v1.schema.json#/$defs/enlisted/properties/who"
                },
                "policy": {
                  "type": "string",
                  "enum": [
                    "required",
                    "best-effort"
                  ]
                },
                "components": {
                  "type": "array",
                  "items": {
                    "$ref": "components.v1.schema.json#/$defs/component"
                  }
                },
                "volumes": {
                  "type": "array",
                  "items": {
                    "type": "string"
                  }
                },
                "cut": {
                  "$ref": "snapshot-set.v1.schema.json#/$defs/cut"
                }
              }
            }
          },
          "providers": {
            "type": "array",
            "items": {
              "title": "PlannedProviderDocument",
              "type": "object",
              "required": [
                "who",
                "volumes"
              ],
              "additionalProperties": false,
              "properties": {
                "who": {
                  "$ref": "journal.v1.schema.json#/$defs/enlisted/properties/who"
                },
                "volumes": {
                  "type": "array",
                  "items": {
                    "$ref": "contract.v1.schema.json#/$defs/volume"
                  }
                }
              }
            }
          },
          "components": {
            "type": "array",
            "items": {
              "title": "PlannedComponentDocument",
              "type": "object",
              "required": [
                "writer",
                "component",
                "volumes",
                "cut",
                "held",
                "promised"
              ],
              "additionalProperties": false,
              "properties": {
                "writer": {
                  "type": [
                    "string",
                    "null"
                  ]
                },
                "component": {
                  "$ref": "components.v1.schema.json#/$defs/component"
                },
                "volumes": {
                  "type": "array",
                  "items": {
                    "type": "string"
                  }
                },
                "cut": {
                  "$ref": "snapshot-set.v1.schema.json#/$defs/cut"
                },
                "held": {
                  "type": "boolean"
                },
                "promised": {
                  "$ref": "snapshot-set.v1.schema.json#/$defs/consistency"
                },
                "why": {
                  "type": "string"
                }
              }
            }
          },
          "leftOut": {
            "type": "array",
            "items": {
              "title": "LeftOutDocument",
              "type": "object",
              "required": [
                "who",
                "error"
              ],
              "additionalProperties": false,
              "properties": {
                "who": {
                  "$ref": "journal.v1.schema.json#/$defs/enlisted/properties/who"
                },
                "error": {
                  "$ref": "event.v1.schema.json#/$defs/fault"
                }
              }
            }
          },
          "warnings": {
            "type": "array",
            "items": {
              "type": "string"
            }
          },
          "promised": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/consistency"
          },
          "asked": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/consistency"
          }
        }
      },
      "writers": {
        "title": "WriterList",
        "type": "object",
        "required": [
          "writers"
        ],
        "additionalProperties": false,
        "properties": {
          "writers": {
            "type": "array",
            "items": {
              "title": "WriterDocument",
              "description": "components: what it owns; error: why it did not say.",
              "type": "object",
              "required": [
                "who",
                "policy",
                "last",
                "servers"
              ],
              "additionalProperties": false,
              "properties": {
                "who": {
                  "$ref": "journal.v1.schema.json#/$defs/enlisted/properties/who"
                },
                "policy": {
                  "type": "string",
                  "enum": [
                    "required",
                    "best-effort"
                  ]
                },
                "last": {
                  "description": "null: it never took part.",
                  "anyOf": [
                    {
                      "type": "null"
                    },
                    {
                      "title": "LastTime",
                      "description": "What it did when it was last asked.",
                      "type": "object",
                      "required": [
                        "at",
                        "result",
                        "frozenMs",
                        "why"
                      ],
                      "additionalProperties": false,
                      "properties": {
                        "at": {
                          "description": "ISO 8601, UTC.",
                          "type": "string"
                        },
                        "result": {
                          "type": "string",
                          "enum": [
                            "held",
                            "failed"
                          ]
                        },
                        "frozenMs": {
                          "description": "From the request to freeze to the answer to thaw, ms; null: it never froze.",
                          "type": [
                            "number",
                            "null"
                          ]
                        },
                        "why": {
                          "type": [
                            "string",
                            "null"
                          ]
                        }
                      }
                    }
                  ]
                },
                "servers": {
                  "description": "Servers that work in what it owns.",
                  "type": "array",
                  "items": {
                    "title": "DatabaseServer",
                    "type": "object",
                    "required": [
                      "kind",
                      "pid",
                      "dataDir",
                      "sockets",
                      "unit"
                    ],
                    "additionalProperties": false,
                    "properties": {
                      "kind": {
                        "type": "string",
                        "enum": [
                          "postgres",
                          "mysql"
                        ]
                      },
                      "pid": {
                        "type": "integer",
                        "minimum": 0
                      },
                      "dataDir": {
                        "type": "string"
                      },
                      "sockets": {
                        "description": "Unix sockets that it listens on; empty where they may not be seen.",
                        "type": "array",
                        "items": {
                          "type": "string"
                        }
                      },
                      "unit": {
                        "description": "Its systemd unit.",
                        "type": [
                          "string",
                          "null"
                        ]
                      }
                    }
                  }
                },
                "components": {
                  "type": "array",
                  "items": {
                    "$ref": "components.v1.schema.json#/$defs/component"
                  }
                },
                "error": {
                  "$ref": "event.v1.schema.json#/$defs/fault"
                }
              }
            }
          }
        }
      },
      "providers": {
        "title": "ProviderList",
        "type": "object",
        "required": [
          "providers"
        ],
        "additionalProperties": false,
        "properties": {
          "providers": {
            "type": "array",
            "items": {
              "title": "ProviderDocument",
              "type": "object",
              "required": [
                "who"
              ],
              "additionalProperties": false,
              "properties": {
                "who": {
                  "$ref": "journal.v1.schema.json#/$defs/enlisted/properties/who"
                },
                "snapshots": {
                  "type": "array",
                  "items": {
                    "$ref": "contract.v1.schema.json#/$defs/snapshot"
                  }
                },
                "error": {
                  "$ref": "event.v1.schema.json#/$defs/fault"
                }
              }
            }
          }
        }
      },
      "plugins": {
        "title": "PluginList",
        "type": "object",
        "required": [
          "plugins",
          "problems",
          "warnings"
        ],
        "additionalProperties": false,
        "properties": {
          "plugins": {
            "type": "array",
            "items": {
              "title": "PluginDocument",
              "type": "object",
              "required": [
                "name",
                "version",
                "dir",
                "verdict",
                "reason"
              ],
              "additionalProperties": false,
              "properties": {
                "name": {
                  "type": "string"
                },
                "version": {
                  "type": "string"
                },
                "dir": {
                  "type": "string"
                },
                "verdict": {
                  "type": "string",
                  "enum": [
                    "taken",
                    "older",
                    "unused",
                    "refused"
                  ]
                },
                "reason": {
                  "type": "string"
                }
              }
            }
          },
          "problems": {
            "type": "array",
            "items": {
              "$ref": "event.v1.schema.json#/$defs/fault"
            }
          },
          "warnings": {
            "type": "array",
            "items": {
              "type": "string"
            }
          }
        }
      },
      "sets": {
        "title": "SetList",
        "type": "object",
        "required": [
          "sets",
          "damaged"
        ],
        "additionalProperties": false,
        "properties": {
          "sets": {
            "type": "array",
            "items": {
              "$ref": "snapshot-set.v1.schema.json"
            }
          },
          "damaged": {
            "type": "array",
            "items": {
              "title": "DamagedRecord",
              "description": "A record that cannot be read: it is reported and left alone.",
              "type": "object",
              "required": [
                "file",
                "findings"
              ],
              "additionalProperties": false,
              "properties": {
                "file": {
                  "type": "string"
                },
                "findings": {
                  "type": "array",
                  "items": {
                    "title": "Finding",
                    "description": "What is wrong in a document that somebody wrote.",
                    "type": "object",
                    "required": [
                      "file",
                      "pointer",
                      "seen",
                      "expected"
                    ],
                    "additionalProperties": false,
                    "properties": {
                      "file": {
                        "type": "string"
                      },
                      "line": {
                        "description": "From 1; not there where there is no text, or it could not be read that far.",
                        "type": "integer",
                        "minimum": 1
                      },
                      "pointer": {
                        "description": "JSON pointer of the value; empty: the whole document.",
                        "type": "string"
                      },
                      "seen": {
                        "type": "string"
                      },
                      "expected": {
                        "type": "string"
                      },
                      "nearest": {
                        "description": "The nearest valid name, if it looks like a misspelling.",
                        "type": "string"
                      }
                    }
                  }
                }
              }
            }
          }
        }
      },
      "operations": {
        "title": "OperationList",
        "type": "object",
        "required": [
          "operations"
        ],
        "additionalProperties": false,
        "properties": {
          "operations": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/operation"
            }
          }
        }
      },
      "deleted": {
        "title": "Deleted",
        "type": "object",
        "required": [
          "deleted"
        ],
        "additionalProperties": false,
        "properties": {
          "deleted": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
          }
        }
      },
      "completed": {
        "title": "Completed",
        "description": "failed: writers that could not be told.",
        "type": "object",
        "required": [
          "set",
          "failed"
        ],
        "additionalProperties": false,
        "properties": {
          "set": {
            "$ref": "snapshot-set.v1.schema.json"
          },
          "failed": {
            "type": "array",
            "items": {
              "title": "UntoldWriter",
              "type": "object",
              "required": [
                "writer",
                "error"
              ],
              "additionalProperties": false,
              "properties": {
                "writer": {
                  "type": "string"
                },
                "error": {
                  "$ref": "event.v1.schema.json#/$defs/fault"
                }
              }
            }
          }
        }
      },
      "lease": {
        "title": "LeaseState",
        "type": "object",
        "required": [
          "set",
          "expiresAt"
        ],
        "additionalProperties": false,
        "properties": {
          "set": {
            "$ref": "snapshot-set.v1.schema.json#/$defs/setId"
          },
          "expiresAt": {
            "description": "null: not while somebody waits with it, or watches the operation.",
            "type": [
              "string",
              "null"
            ]
          }
        }
      },
      "leftovers": {
        "title": "Leftovers",
        "description": "What transactions that died have left, and sets that outlived whoever wanted them.",
        "type": "object",
        "required": [
          "leftovers"
        ],
        "additionalProperties": false,
        "properties": {
          "leftovers": {
            "type": "array",
            "maxItems": 10000,
            "items": {
              "$ref": "command-line.v1.schema.json#/$defs/recover/properties/leftovers/items"
            }
          }
        }
      },
      "page": {
        "title": "PageAddress",
        "type": "object",
        "required": [
          "address"
        ],
        "additionalProperties": false,
        "properties": {
          "address": {
            "description": "On 127.0.0.1, with a token that works once.",
            "type": "string"
          }
        }
      },
      "recovered": {
        "title": "Recovered",
        "description": "residue: what could not be undone.",
        "type": "object",
        "required": [
          "done",
          "residue"
        ],
        "additionalProperties": false,
        "properties": {
          "done": {
            "type": "array",
            "items": {
              "$ref": "command-line.v1.schema.json#/$defs/recover/properties/leftovers/items"
            }
          },
          "residue": {
            "type": "array",
            "items": {
              "$ref": "event.v1.schema.json#/$defs/residue"
            }
          }
        }
      },
      "restorePlan": {
        "title": "RestorePlanDocument",
        "type": "object",
        "required": [
          "set",
          "where",
          "steps",
          "writers"
        ],
        "additionalProperties": false,
        "properties": {
          "set": {
            "$ref": "snapshot-set.v1.schema.json"
          },
          "where": {
            "type": "string",
            "enum": [
              "in-place",
              "elsewhere"
            ]
          },
          "steps": {
            "type": "array",
            "items": {
              "title": "RestoreStepDocument",
              "type": "object",
              "required": [
                "component",
                "original",
                "to",
                "draft",
                "aside"
              ],
              "additionalProperties": false,
              "properties": {
                "component": {
                  "type": "string"
                },
                "original": {
                  "type": "string"
                },
                "to": {
                  "type": "string"
                },
                "draft": {
                  "type": "string"
                },
                "aside": {
                  "type": [
                    "string",
                    "null"
                  ]
                }
              }
            }
          },
          "writers": {
            "type": "array",
            "items": {
              "type": "string"
            }
          }
        }
      },
      "restored": {
        "title": "RestoredDocument",
        "type": "object",
        "required": [
          "set",
          "steps",
          "unfinished"
        ],
        "additionalProperties": false,
        "properties": {
          "set": {
            "$ref": "snapshot-set.v1.schema.json"
          },
          "steps": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/restorePlan/properties/steps/items"
            }
          },
          "unfinished": {
            "type": "array",
            "items": {
              "$ref": "#/$defs/completed/properties/failed/items"
            }
          }
        }
      },
      "history": {
        "title": "HistoryList",
        "type": "object",
        "required": [
          "history"
        ],
        "additionalProperties": false,
        "properties": {
          "history": {
            "type": "array",
            "items": {
              "$ref": "history.v1.schema.json"
            }
          }
        }
      }
    }
  },
  "snapshot-set.v1": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://holdstill.invalid/schemas/snapshot-set.v1.schema.json",
    "title": "SnapshotSet",
    "description": "The record of one transaction: what was captured, what was really achieved, and the proof.",
    "type": "object",
    "required": [
      "recordVersion",
      "id",
      "createdAt",
      "host",
      "holdstill",
      "tags",
      "targets",
      "cut",
      "asked",
      "consistency",
      "components",
      "writers",
      "volumes",
      "snapshots",
      "timeline",
      "frozenMs"
    ],
    "additionalProperties": false,
    "properties": {
      "$schema": {
        "type": "string"
      },
      "recordVersion": {
        "const": 1
      },
      "id": {
        "$ref": "#/$defs/setId"
      },
      "name": {
        "type": "string",
        "minLength": 1,
        "maxLength": 128
      },
      "tags": {
        "type": "object",
        "additionalProperties": {
          "type": "string"
        }
      },
      "createdAt": {
        "description": "The instant of the cut, ISO 8601, UTC.",
        "type": "string"
      },
      "host": {
        "type": "string"
      },
      "holdstill": {
        "description": "Version of the host that made the set.",
        "type": "string"
      },
      "targets": {
        "description": "As the requester named them.",
        "type": "array",
        "items": {
          "type": "string"
        }
      },
      "cut": {
        "$ref": "#/$defs/cut"
      },
      "asked": {
        "description": "The lowest consistency that counts as success: what the requester required, else what the plan promised.",
        "$ref": "#/$defs/consistency"
      },
      "consistency": {
        "description": "What was achieved: the lowest of the components.",
        "$ref": "#/$defs/consistency"
      },
      "frozenMs": {
        "description": "From the first freeze asked to the last thaw answered, ms; 0 without writers.",
        "type": "number",
        "minimum": 0
      },
      "components": {
        "type": "array",
        "items": {
          "$ref": "#/$defs/recordedComponent"
        }
      },
      "writers": {
        "type": "array",
        "items": {
          "$ref": "#/$defs/recordedWriter"
        }
      },
      "volumes": {
        "type": "array",
        "items": {
          "$ref": "contract.v1.schema.json#/$defs/volume"
        }
      },
      "snapshots": {
        "type": "array",
        "items": {
          "$ref": "#/$defs/recordedSnapshot"
        }
      },
      "timeline": {
        "type": "array",
        "items": {
          "$ref": "#/$defs/span"
        }
      },
      "hold": {
        "$ref": "#/$defs/recordedHold"
      },
      "exposed": {
        "type": "array",
        "items": {
          "$ref": "#/$defs/recordedExposure"
        }
      },
      "mirror": {
        "description": "A folder below which the exposed pictures are mounted at their original paths, too.",
        "type": "string",
        "pattern": "^/"
      },
      "lease": {
        "description": "The set lives as long as its requester; not there in one that stays.",
        "$ref": "#/$defs/lease"
      },
      "requester": {
        "description": "Who asked the service for it; not there in one that was made without the service.",
        "$ref": "#/$defs/requester"
      },
      "holdUntil": {
        "description": "Until then the set is neither deleted nor pruned. ISO 8601, UTC.",
        "type": "string"
      },
      "verified": {
        "description": "Per writer, what it last found when it started the application on the picture.",
        "type": "array",
        "items": {
          "$ref": "#/$defs/verification"
        }
      },
      "outcome": {
        "title": "Outcome",
        "description": "What the requester said of the backup that was made from the set.",
        "type": "object",
        "required": [
          "succeeded",
          "type",
          "at"
        ],
        "additionalProperties": false,
        "properties": {
          "succeeded": {
            "type": "boolean"
          },
          "type": {
            "description": "copy leaves the application's logs alone; full allows their owner to truncate them.",
            "type": "string",
            "enum": [
              "copy",
              "full"
            ]
          },
          "at": {
            "type": "string"
          }
        }
      }
    },
    "$defs": {
      "setId": {
        "title": "SetId",
        "type": "string",
        "pattern": "^[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$"
      },
      "consistency": {
        "title": "Consistency",
        "description": "application: the writer held still, or its own redo makes the copy whole. filesystem: held, no writer. crash: of one instant, nothing flushed. none: files of different moments.",
        "type": "string",
        "enum": [
          "application",
          "filesystem",
          "crash",
          "none"
        ]
      },
      "cut": {
        "title": "Cut",
        "description": "atomic: all volumes at one instant. per-volume: each volume at an instant of its own. fuzzy: copied while files change.",
        "type": "string",
        "enum": [
          "atomic",
          "per-volume",
          "fuzzy"
        ]
      },
      "pluginRef": {
        "title": "PluginRef",
        "type": "object",
        "required": [
          "instance",
          "plugin",
          "version"
        ],
        "additionalProperties": false,
        "properties": {
          "instance": {
            "type": "string"
          },
          "plugin": {
            "type": "string"
          },
          "version": {
            "type": "string"
          }
        }
      },
      "recordedComponent": {
        "title": "RecordedComponent",
        "type": "object",
        "required": [
          "writer",
          "component",
          "volumes",
          "consistency"
        ],
        "additionalProperties": false,
        "properties": {
          "writer": {
            "description": "Instance name; null for paths that no writer owns.",
            "type": [
              "string",
              "null"
            ]
          },
          "component": {
            "$ref": "components.v1.schema.json#/$defs/component"
          },
          "volumes": {
            "type": "array",
            "items": {
              "type": "string"
            }
          },
          "consistency": {
            "$ref": "#/$defs/consistency"
          },
          "why": {
            "description": "Why it is not application.",
            "type": "string"
          }
        }
      },
      "recordedWriter": {
        "title": "RecordedWriter",
        "type": "object",
        "required": [
          "by",
          "policy",
          "state"
        ],
        "additionalProperties": false,
        "properties": {
          "by": {
            "$ref": "#/$defs/pluginRef"
          },
          "policy": {
            "type": "string",
            "enum": [
              "required",
              "best-effort"
            ]
          },
          "state": {
            "description": "held: frozen without a gap. degraded: the freeze was lost, or thaw failed. left-out: best-effort, and failed.",
            "type": "string",
            "enum": [
              "held",
              "degraded",
              "left-out"
            ]
          },
          "why": {
            "type": "string"
          },
          "frozen": {
            "title": "FrozenSpan",
            "description": "ms from the start of the transaction.",
            "type": "object",
            "required": [
              "since",
              "until"
            ],
            "additionalProperties": false,
            "properties": {
              "since": {
                "type": "number"
              },
              "until": {
                "type": "number"
              }
            }
          },
          "facts": {
            "type": "object",
            "additionalProperties": true
          },
          "repair": {
            "title": "Repair",
            "description": "What became of the picture after the cut. repaired: it opens at once. failed: it does not. passed-over: nobody tried, and why.",
            "type": "object",
            "required": [
              "state",
              "in"
            ],
            "additionalProperties": false,
            "properties": {
              "state": {
                "type": "string",
                "enum": [
                  "repaired",
                  "failed",
                  "passed-over"
                ]
              },
              "in": {
                "description": "Snapshot.id of each picture that was written to; one with `of` has its pristine original beside it.",
                "type": "array",
                "items": {
                  "type": "string"
                }
              },
              "why": {
                "type": "string"
              },
              "facts": {
                "type": "object",
                "additionalProperties": true
              }
            }
          },
          "sidecar": {
            "title": "RecordedSidecar",
            "type": "object",
            "required": [
              "dir",
              "files"
            ],
            "additionalProperties": false,
            "properties": {
              "dir": {
                "description": "Absolute.",
                "type": "string"
              },
              "files": {
                "type": "array",
                "items": {
                  "title": "SidecarFile",
                  "type": "object",
                  "required": [
                    "path",
                    "bytes",
                    "sha256"
                  ],
                  "additionalProperties": false,
                  "properties": {
                    "path": {
                      "type": "string"
                    },
                    "bytes": {
                      "type": "integer",
                      "minimum": 0
                    },
                    "sha256": {
                      "type": "string",
                      "pattern": "^[0-9a-f]{64}$"
                    }
                  }
                }
              }
            }
          }
        }
      },
      "recordedSnapshot": {
        "title": "RecordedSnapshot",
        "type": "object",
        "required": [
          "by",
          "snapshot"
        ],
        "additionalProperties": false,
        "properties": {
          "by": {
            "$ref": "#/$defs/pluginRef"
          },
          "snapshot": {
            "$ref": "contract.v1.schema.json#/$defs/snapshot"
          }
        }
      },
      "recordedHold": {
        "title": "RecordedHold",
        "description": "The proof that the kernel held everything while the picture was taken. Times are ms from the start of the transaction.",
        "type": "object",
        "required": [
          "by",
          "heldMs",
          "points"
        ],
        "additionalProperties": false,
        "properties": {
          "by": {
            "description": "How the kernel was asked.",
            "type": "string",
            "enum": [
              "ioctl",
              "commands"
            ]
          },
          "heldMs": {
            "description": "From the first hold asked to the last release answered, ms.",
            "type": "number",
            "minimum": 0
          },
          "points": {
            "type": "array",
            "items": {
              "title": "HeldPoint",
              "description": "The kernel confirmed at release that the hold was still there.",
              "type": "object",
              "required": [
                "point",
                "from",
                "to"
              ],
              "additionalProperties": false,
              "properties": {
                "point": {
                  "$ref": "contract.v1.schema.json#/$defs/holdPoint"
                },
                "from": {
                  "type": "number"
                },
                "to": {
                  "type": "number"
                }
              }
            }
          }
        }
      },
      "verification": {
        "title": "Verification",
        "type": "object",
        "required": [
          "writer",
          "at",
          "ok"
        ],
        "additionalProperties": false,
        "properties": {
          "writer": {
            "description": "Instance name.",
            "type": "string"
          },
          "at": {
            "type": "string"
          },
          "ok": {
            "type": "boolean"
          },
          "why": {
            "description": "What was wrong.",
            "type": "string"
          },
          "facts": {
            "type": "object",
            "additionalProperties": true
          }
        }
      },
      "lease": {
        "title": "LeaseMark",
        "description": "Whose set it is: the process that holds a lock on the lease's file.",
        "type": "object",
        "required": [
          "id",
          "pid",
          "since"
        ],
        "additionalProperties": false,
        "properties": {
          "id": {
            "type": "string",
            "pattern": "^[0-9a-f-]{36}$"
          },
          "pid": {
            "type": "integer",
            "minimum": 1
          },
          "since": {
            "type": "string"
          }
        }
      },
      "requester": {
        "title": "RequesterMark",
        "description": "A process, as the kernel told who it was when it connected.",
        "type": "object",
        "required": [
          "uid",
          "gid",
          "pid"
        ],
        "additionalProperties": false,
        "properties": {
          "uid": {
            "type": "integer",
            "minimum": 0
          },
          "gid": {
            "type": "integer",
            "minimum": 0
          },
          "pid": {
            "type": "integer",
            "minimum": 0
          },
          "executable": {
            "description": "What it ran then; not there where that could not be read.",
            "type": "string"
          }
        }
      },
      "recordedExposure": {
        "title": "RecordedExposure",
        "type": "object",
        "required": [
          "by",
          "snapshot",
          "exposed"
        ],
        "additionalProperties": false,
        "properties": {
          "by": {
            "description": "Instance name of the provider.",
            "type": "string"
          },
          "snapshot": {
            "description": "Snapshot.id",
            "type": "string"
          },
          "exposed": {
            "$ref": "contract.v1.schema.json#/$defs/exposed"
          }
        }
      },
      "span": {
        "title": "Span",
        "description": "One call of the transaction; times in ms from its start.",
        "type": "object",
        "required": [
          "op",
          "actor",
          "from",
          "to",
          "limitMs",
          "outcome"
        ],
        "additionalProperties": false,
        "properties": {
          "op": {
            "type": "string"
          },
          "actor": {
            "description": "Instance name, or keeper.",
            "type": "string"
          },
          "from": {
            "type": "number",
            "minimum": 0
          },
          "to": {
            "type": "number",
            "minimum": 0
          },
          "limitMs": {
            "type": "number",
            "minimum": 0
          },
          "outcome": {
            "type": "string",
            "enum": [
              "ok",
              "failed"
            ]
          },
          "why": {
            "type": "string"
          }
        }
      }
    }
  }
} as const;
