// Who is who and may do what, as one immutable value that every I/O thread shares by reference count and
// replaces when a message brings a newer one. Lookups take no lock and do no I/O.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "identity/token.h"
#include "model/grants.h"
#include "model/words.h"

namespace cc::identity {

using Departments = std::unordered_map<std::string, std::string>;  // application → department
using RevokedTokens = std::unordered_map<std::string, Wall>;       // token id → when it would have expired

// Who asks.
struct Caller {
  enum class Kind { anonymous, user, access_key, system } kind = Kind::anonymous;
  std::string name;           // user name; "key:<id>" of an access key; "anonymous"; "system"
  std::vector<Grant> grants;  // of an access key: viewer of its application (and environment)
  std::string token_id;       // of the JWT, to revoke it
  Wall expires{};             // of the token; what it was authenticated by is not believed later
  std::shared_ptr<const Departments> departments;
  bool anonymous_may_read = false;  // setting security.anonymous_read

  // For a config or an application in an environment. Empty environment/application: not about one.
  bool may(Permission permission, std::string_view environment = {}, std::string_view application = {}) const;
  // Whether there is any place, within what is given, where it may: for lists, and to see the place itself.
  bool may_somewhere(Permission permission, std::string_view environment = {}, std::string_view application = {}) const;
  // Whether it may everywhere within the scope: for granting roles there.
  bool may_throughout(Permission permission, const Scope& scope) const;
  // permission_denied with a message that names the permission, the place, and who could grant it; unauthenticated
  // for the anonymous caller.
  Result<> require(Permission permission, std::string_view environment = {}, std::string_view application = {}) const;
};
using CallerPtr = std::shared_ptr<const Caller>;

// What was shown, read and its signature checked. That holds for all directories of a node, which have one secret; who
// it is depends on the directory.
struct Credential {
  std::optional<Claims> token;
  std::string key_hash;  // of an access key; with neither it is the anonymous caller's
};

class Directory {
 public:
  struct Content {
    std::vector<User> users;      // in order of name
    std::vector<AccessKey> keys;  // in order of id
    RevokedTokens revoked_tokens;
    std::shared_ptr<const Departments> departments = std::make_shared<const Departments>();
  };
  Directory(Content content, std::string jwt_secret, bool anonymous_may_read);

  // `authorization` is the header's value ("Bearer <jwt or access key>") or "" (anonymous). unauthenticated
  // with a message that does not tell which part was wrong, here and below.
  Result<Credential> read(std::string_view authorization, Wall now) const;
  // `address` is the client's, for keys limited to addresses; `revoked_since` are tokens that were revoked after this
  // was made.
  Result<CallerPtr> find_caller(const Credential& credential, std::string_view address, Wall now,
                                const RevokedTokens& revoked_since = {}) const;
  Result<CallerPtr> authenticate(std::string_view authorization, std::string_view address, Wall now) const;

  const User* find_user(std::string_view name) const;
  const std::vector<User>& users() const { return content_.users; }     // by name
  const std::vector<AccessKey>& keys() const { return content_.keys; }  // by id
  const std::shared_ptr<const Departments>& departments() const { return content_.departments; }

 private:
  CallerPtr caller_of_key(const std::string& hash, std::string_view address, Wall now) const;
  CallerPtr caller_of_token(const Claims& claims, Wall now, const RevokedTokens& revoked_since) const;

  Content content_;
  std::map<std::string, std::size_t, std::less<>> user_by_name_;
  std::unordered_map<std::string, std::size_t> key_by_hash_;
  CallerPtr anonymous_;
  std::string jwt_secret_;
  bool anonymous_may_read_;
};
using DirectoryPtr = std::shared_ptr<const Directory>;

}  // namespace cc::identity
