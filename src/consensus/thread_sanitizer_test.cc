// What the thread sanitizer takes for a race and is none.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)

extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  // libuv closes files by the system call itself (uv__close_nocancel), which the sanitizer does not see: it takes
  // the next file that gets the same number for the old one, and reports when we close the folder that we read.
  // libraft closes an event's file before it stops polling it (UvWriterClose), so libuv takes a number out of its
  // poll set that another thread may have been given meanwhile: it is not in that set, and nothing happens.
  return "race:closedir\nrace:epoll_ctl\n";
}

#endif
#endif
