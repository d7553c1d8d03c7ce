// libraft, which has no `extern "C"` of its own, and libuv. Included by .cc files and headers of this folder only.
#pragma once

extern "C" {
#include <raft.h>
#include <raft/uv.h>
}
