#include "cli/reply_reader.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cc::cli {
namespace {

using testing::ElementsAre;

constexpr std::string_view kTwo =
    "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello"
    "HTTP/1.1 503 Busy\r\ncontent-length:0\r\n\r\n";

TEST(ReplyReader, finds_every_answer_however_the_bytes_are_cut) {
  for (std::size_t first = 0; first <= kTwo.size(); ++first) {
    for (std::size_t second = first; second <= kTwo.size(); ++second) {
      ReplyReader reader;
      std::vector<unsigned> statuses;
      const auto note = [&](unsigned status) { statuses.push_back(status); };
      ASSERT_TRUE(reader.feed(kTwo.substr(0, first), note));
      ASSERT_TRUE(reader.feed(kTwo.substr(first, second - first), note));
      ASSERT_TRUE(reader.feed(kTwo.substr(second), note));
      ASSERT_THAT(statuses, ElementsAre(200, 503)) << "cut at " << first << " and " << second;
    }
  }
}

TEST(ReplyReader, knows_answers_without_a_body) {
  ReplyReader reader;
  std::vector<unsigned> statuses;
  // A 304 may say how long the content would be.
  ASSERT_TRUE(reader.feed("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
                          [&](unsigned status) { statuses.push_back(status); }));
  EXPECT_THAT(statuses, ElementsAre(304, 204));
}

TEST(ReplyReader, gives_up_on_what_it_does_not_understand) {
  const auto nothing = [](unsigned) { FAIL(); };
  EXPECT_FALSE(ReplyReader().feed("SSH-2.0-OpenSSH_9.2\r\n\r\n", nothing));
  EXPECT_FALSE(ReplyReader().feed("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", nothing));
  EXPECT_FALSE(ReplyReader().feed("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", nothing));
  EXPECT_FALSE(ReplyReader().feed(std::string(100'000, 'x'), nothing));
}

}  // namespace
}  // namespace cc::cli
