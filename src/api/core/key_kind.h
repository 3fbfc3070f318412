/* Inside api/: defines API keys as a kind of setting. */
#pragma once
#include "api/core/resource.h"

extern const struct resource keys;
/* End the keys of a user, within the job that deletes the user, and after its commit. */
MUST_USE enum err keys_end_with_user(struct request *r, struct record *user, struct db *db);
void keys_ended(struct request *r, const struct record *user);
