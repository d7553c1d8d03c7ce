// Work that may wait: it gets the processor when nothing that somebody waits for wants it, and little otherwise.
#pragma once

namespace cc {

// The calling thread from now on. It cannot be undone without privileges: for threads that do nothing else.
void go_to_background();

// The same, for what may wait for as long as others have something to do: it gets what nobody else wants.
void go_to_idle();

// To be called about every millisecond of long work: cheap, and nothing on a thread that has not gone idle. There it
// rests for most of the time while others are about. Idle priority alone does not keep out of their way: they share
// caches, memory and often the core itself with it, and lose in proportion to how much of it goes on beside them.
void give_way();

}  // namespace cc
