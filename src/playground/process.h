// One process of a playground: started, asked to end, gone.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "playground/component.h"

namespace cc::playground {

// Starts it in a process group of its own, with its output at the end of `log`. It is asked to end when the calling
// thread ends, however that is: so it is started from a thread that lives as long as the playground does. A program
// that cannot be run ends with 127, and its log says why.
Result<pid_t> start(const Component& component, const Path& log);

// Whether it has ended, and then how: "exit status 1", "signal 9 (Killed)". What it left of its group is killed.
std::optional<std::string> ended(pid_t process);

// Kills it with its group, and waits for it.
void kill_now(pid_t process);

// From now on this process becomes the parent of what outlives its parent. PostgreSQL's own processes are in sessions
// of theirs; one of them that is left keeps the next server from its data.
void adopt_orphans();
// Kills the children of this process that are not `ours`, and waits for them.
void kill_orphans(const std::vector<pid_t>& ours);

}  // namespace cc::playground
