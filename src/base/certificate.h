// Until when a TLS certificate is valid.
#pragma once

#include <optional>

#include "base/clock.h"

struct ssl_ctx_st;

namespace cc {

// Of the certificate that `context` shows; nothing when it has none.
std::optional<Wall> expiry_of(const ssl_ctx_st* context);

}  // namespace cc
