// The threads for what blocks: SQL, parsing, hashing.
//
// Each kind of work has threads of its own: whoever waits behind slow searches, a login and a publish do not. And so
// that what takes much memory does not take it many times at once.
#pragma once

#include <array>
#include <cstddef>

#include <boost/asio/thread_pool.hpp>

namespace cc::service {

enum class Work : unsigned char {
  question,  // SQL that finds what it wants by an index
  search,    // SQL that may read through everything there is; exports
  document,  // parsing and comparing documents: up to 100 MiB of memory each
  password,  // hashing passwords: 19 MiB and some tens of milliseconds each
  archived,  // questions to PostgreSQL, as slow as that is
};
inline constexpr std::size_t kKindsOfWork = 5;

class Workers {
 public:
  // Those that ask SQL, and so need a connection each.
  static constexpr std::size_t kQuestions = 4, kSearches = 2, kArchived = 4;

  boost::asio::thread_pool& of(Work kind) { return threads_[static_cast<std::size_t>(kind)]; }
  void join();  // when everything has been done

 private:
  std::array<boost::asio::thread_pool, kKindsOfWork> threads_{
      boost::asio::thread_pool{kQuestions}, boost::asio::thread_pool{kSearches}, boost::asio::thread_pool{2},
      boost::asio::thread_pool{2}, boost::asio::thread_pool{kArchived}};
};

}  // namespace cc::service
