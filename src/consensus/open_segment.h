// Mends the file that was being written when the process or the machine died.
//
// libraft cuts an unfinished write off by itself, except where the file ends inside it: then it frees memory twice and
// dies, at each start. Here such a tail is cut off before libraft looks.
//
// Only what a write that was torn can leave is cut off: one write is under way at a time, into room that held zeros, so
// of the last batch some sectors are still zero, and behind it everything is. Then it was never acknowledged. Anything
// else is damage to what was, and is refused: going on without it would lose it, and, in a group, help to elect a
// leader that lacks it.
#pragma once

#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace cc::consensus {

// `paths` are libraft's "open-N" files in the order of N. Removes those that hold no whole batch of entries. corruption
// when one is damaged; the files are left as they are then.
Result<> mend_open_segments(const std::vector<Path>& paths);

// Whether the first entry of a mended one is the first of a log: the only one of term 1, which says who founded the
// group. A node that was taken in gets it like any other.
bool begins_a_log(const Path& segment);

}  // namespace cc::consensus
