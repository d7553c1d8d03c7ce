// What nodes say to each other once they have proven themselves: records, a stream of them in each direction. They
// have nothing to do with how the stream was cut into sealed pieces.
//
//   type (1 byte)  length (4 bytes, little-endian)  content
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "consensus/network.h"

namespace cc::consensus {

enum class RecordType : std::uint8_t {
  introduction = 1,  // JSON, see Introduction
  refusal = 2,       // JSON, see encode(Error); the connection ends
  message = 3,
  ping = 4,  // is answered by pong; both are empty
  pong = 5,
  // When files are fetched:
  name = 6,   // of the file that is wanted
  chunk = 7,  // the next bytes of it
  end = 8,    // how many bytes that were: 8 bytes, little-endian
};

inline constexpr std::size_t kLargestMessage = 160u << 20;
inline constexpr std::size_t kLargestChunk = 512u << 10;
inline constexpr std::size_t kLargestControl = 8u << 10;  // all other records
inline constexpr std::size_t kRecordHeader = 5;

struct Record {
  RecordType type = RecordType::ping;
  std::string content;
};

void append_record_header(RecordType type, std::size_t size, std::string& to);
void append_record(RecordType type, std::string_view content, std::string& to);

class RecordReader {
 public:
  // What was opened is appended here.
  std::string& input() { return input_; }
  // The next record that is whole; corruption when the stream is none of records, or one is too long.
  Result<std::optional<Record>> next();

 private:
  std::string input_;
  std::size_t at_ = 0;            // in input_
  std::optional<Record> record_;  // begun
  std::size_t missing_ = 0;       // bytes of its content
};

// What a node says of itself, and to whom.
struct Introduction {
  Greeting greeting;
  std::string instance;          // of this process: random, so that two with one node id are told apart
  bool wanted = false;           // the other is one that this node was told to connect to
  std::optional<Error> refusal;  // it knows the other's introduction, and will not talk to it
};

std::string encode(const Introduction& introduction);
Result<Introduction> decode_introduction(std::string_view text);

std::string encode(const Error& error);
Result<Error> decode_error(std::string_view text);

}  // namespace cc::consensus
