/* Gives the files that are part of the program. */
#pragma once
#include "base/str.h"

struct str file_openapi(void); /* OpenAPI 3.1, the answer of GET /v1/openapi.json */
