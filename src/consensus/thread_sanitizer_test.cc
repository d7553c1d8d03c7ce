// What the thread sanitizer takes for a race and is none.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)

extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  // libuv closes files by the system call itself (uv__close_nocancel), which the sanitizer does not see: it takes
  // the next file that gets the same number for the old one, and reports when we close the folder that we read.
  return "race:closedir\n";
}

#endif
#endif
