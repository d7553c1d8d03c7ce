#include "consensus/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/bytes.h"

namespace cc::consensus {
namespace {

using ::testing::HasSubstr;

TEST(Records, AreReadHoweverTheStreamIsCut) {
  std::vector<std::string> said;
  std::string stream;
  for (const std::size_t size : {0u, 1u, 7u, 5000u, 0u, 300u}) {
    said.push_back(random_bytes(size));
    append_record(RecordType::message, said.back(), stream);
  }
  for (const std::size_t step : {1u, 3u, 5u, 4096u, 100'000u}) {
    RecordReader reader;
    std::vector<std::string> heard;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      reader.input() += stream.substr(at, step);
      for (;;) {
        auto record = reader.next();
        ASSERT_TRUE(record);
        if (!*record) break;
        EXPECT_EQ((*record)->type, RecordType::message);
        heard.push_back((*record)->content);
      }
    }
    EXPECT_EQ(heard, said) << step;
  }
}

TEST(Records, ThatAreNoneOrTooLongAreRefusedBeforeTheyAreWaitedFor) {
  const auto refused = [](std::string_view stream) {
    RecordReader reader;
    reader.input() = stream;
    const auto record = reader.next();
    return !record && record.error().code == Code::corruption;
  };
  EXPECT_TRUE(refused(std::string(5, '\0')));
  EXPECT_TRUE(refused("\x09\x01\x01\x01\x01"));
  for (const auto& [type, limit] :
       std::vector<std::pair<RecordType, std::size_t>>{{RecordType::message, kLargestMessage},
                                                       {RecordType::chunk, kLargestChunk},
                                                       {RecordType::name, kLargestControl}}) {
    std::string fits, too_long;
    append_record_header(type, limit, fits);
    append_record_header(type, limit + 1, too_long);
    EXPECT_FALSE(refused(fits));
    EXPECT_TRUE(refused(too_long));
  }
}

TEST(Introduction, KeepsEverythingThatANodeSaysOfItself) {
  const Introduction said{
      .greeting = {.node = ~0ull, .address = "[::1]:7848", .group = "g\"\n", .formed = true, .version = 3},
      .instance = "abc",
      .wanted = true,
      .refusal = Error{Code::conflict, "node 2 is taken"}};
  const auto heard = decode_introduction(encode(said));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->greeting.node, said.greeting.node);
  EXPECT_EQ(heard->greeting.address, said.greeting.address);
  EXPECT_EQ(heard->greeting.group, said.greeting.group);
  EXPECT_TRUE(heard->greeting.formed);
  EXPECT_EQ(heard->greeting.version, 3u);
  EXPECT_EQ(heard->instance, "abc");
  EXPECT_TRUE(heard->wanted);
  ASSERT_TRUE(heard->refusal);
  EXPECT_EQ(heard->refusal->code, Code::conflict);
  EXPECT_EQ(heard->refusal->message, "node 2 is taken");
}

TEST(Introduction, OfNobodyIsRefused) {
  for (const char* text :
       {"", "{", "[]", "{}", R"({"node":"1"})", R"({"node":-1,"address":"a","group":"","formed":true})"})
    EXPECT_FALSE(decode_introduction(text)) << text;
  EXPECT_FALSE(decode_error("{}"));
}

TEST(Refusal, CannotPutAnythingIntoTheLogOfTheOther) {
  const auto heard = decode_error(R"({"code":"conflict","message":"a\nb\u001b[2J)" + std::string(5000, 'x') + "\"}");
  ASSERT_TRUE(heard);
  EXPECT_THAT(heard->message, HasSubstr("a\\x0Ab\\x1B[2J"));
  EXPECT_LT(heard->message.size(), 1100u);
}

}  // namespace
}  // namespace cc::consensus
