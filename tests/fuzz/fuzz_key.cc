// Config keys, and the names in them: what is accepted comes back as it was, what is refused is explained.
#include <cstdint>
#include <string>

#include "base/text.h"
#include "model/words.h"
#include "must.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using cc::fuzz::must;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const cc::Result<cc::ConfigKey> key = cc::ConfigKey::parse(text);
  if (!key) {
    must(key.error().code == cc::Code::invalid_argument, "a refusal is an invalid argument");
    must(!key.error().message.empty(), "a refusal has a message");
    must(cc::find_invalid_utf8(key.error().message) == std::string::npos, "a message is valid UTF-8");
    must(key.error().message.find_first_of("\r\n\t\x1B") == std::string::npos, "a message has no control characters");
    must(key.error().message.size() < 1000, "a message is short, however long the key");
    return 0;
  }
  must(key->to_string() == text, "an accepted key comes back as it was");
  must(cc::check(*key).has_value(), "the parts of an accepted key are accepted");
  const cc::Result<cc::ConfigKey> again = cc::ConfigKey::parse(key->to_string());
  must(again && *again == *key, "an accepted key is read the same again");
  must(cc::find_invalid_utf8(text) == std::string::npos, "an accepted key is valid UTF-8");
  for (const char c : text)
    must(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F, "it has no control characters");
  for (const std::string_view segment : cc::split(text, '/')) {
    must(!segment.empty() && segment != "." && segment != "..", "none of its segments is empty or dots");
  }
  const cc::Result<std::string> decoded = cc::percent_decode(cc::percent_encode(text, true));
  must(decoded && *decoded == text, "it survives being part of an address");
  return 0;
}
