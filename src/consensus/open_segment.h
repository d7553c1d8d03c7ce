// Mends the file that was being written when the process or the machine died.
//
// libraft cuts an unfinished write off by itself, except where the file ends inside it: then it frees
// memory twice and dies, at each start. Here such a tail is cut off before libraft looks. Nothing that was acknowledged
// is ever in it: a write is acknowledged when all of it is on disk.
#pragma once

#include "base/file.h"
#include "base/result.h"

namespace cc::consensus {

// `path` is an "open-N" file of libraft. Removes it when it holds no whole batch of entries.
Result<> mend_open_segment(const Path& path);

}  // namespace cc::consensus
