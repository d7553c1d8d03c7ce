#include "state/checksum.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace cc::state {
namespace {

constexpr std::size_t kPiece = 1 << 20;

// A hash of arbitrarily many bytes in bounded memory: each full piece is replaced by its hash.
class Digest {
 public:
  void add(std::string_view value) {
    pending_ += fmt::format("{}:", value.size());
    pending_ += value;
    if (pending_.size() >= kPiece) pending_ = sha256(pending_);
  }
  std::string hex() const { return sha256_hex(pending_); }

 private:
  std::string pending_;
};

template <std::size_t N>
void add(Digest& digest, Database& database, const char (&question)[N]) {
  digest.add(question);
  Rows rows = database.ask(question);
  while (rows.next()) {
    for (int column = 0; column < rows.columns(); ++column)
      digest.add(rows.view(column));
  }
}

}  // namespace

std::string checksum_of(Database& database) {
  Digest digest;
  add(digest, database, "SELECT applied, applied_crc, revision, cluster_id FROM position");
  add(digest, database, "SELECT * FROM environment ORDER BY name");
  add(digest, database, "SELECT * FROM application ORDER BY name");
  add(digest, database, "SELECT * FROM cluster ORDER BY environment, application, name");
  add(digest, database, "SELECT * FROM config ORDER BY key");
  add(digest, database, "SELECT * FROM release ORDER BY id");
  add(digest, database, "SELECT * FROM draft ORDER BY key");
  add(digest, database, "SELECT * FROM user ORDER BY name");
  add(digest, database, "SELECT * FROM role_grant ORDER BY user, role, environment, application, department");
  add(digest, database, "SELECT * FROM access_key ORDER BY id");
  add(digest, database, "SELECT * FROM revoked_token ORDER BY id");
  add(digest, database, "SELECT * FROM audit ORDER BY id");
  add(digest, database, "SELECT * FROM attempt ORDER BY id");
  add(digest, database, "SELECT * FROM archived");
  add(digest, database, "SELECT * FROM answered ORDER BY sequence");
  return digest.hex();
}

}  // namespace cc::state
