// What the sanitizers report in libraries that are not built with them, and is none of ours. Linked into the program
// and every test and fuzz target of the presets asan and tsan.
//
// Of undefined behaviour -fsanitize=vptr is left out (CMakePresets.json): it asks a pipe whether memory can be read,
// and when there is no file left for one takes every object for broken.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions();

// libuv closes files by the system call itself (uv__close_nocancel), which the sanitizer does not see: it takes the
// next file that gets the same number for the old one, and reports when we close the folder that we read. libraft
// closes an event's file before it stops polling it (UvWriterClose), so libuv takes a number out of its poll set that
// another thread may have been given meanwhile: it is not in that set, and nothing happens.
// libarchive reads a file's time through mktime(), whose lock in libc is not seen either.
extern "C" const char* __tsan_default_suppressions() {
  return "race:closedir\nrace:epoll_ctl\nrace:tzset_internal\n";
}

// libraft forgets the list of segments when it refuses to start with a damaged one. libpqxx 6 forgets the result of a
// statement whose connection broke.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libraft.so\nleak:libpqxx\n";
}
