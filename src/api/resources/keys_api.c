/* keys_api: handles API keys as a resource. */
#include "api/core/key_kind.h"
#include "api/resources/handlers.h"

RESOURCE_HANDLERS(keys, keys)

void keys_patch(struct request *r)
{
    resource_patch(r, &keys);
}

void keys_delete(struct request *r)
{
    resource_delete(r, &keys);
}
