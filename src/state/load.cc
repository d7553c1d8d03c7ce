#include "state/load.h"

#include <unordered_map>

#include "base/text.h"
#include "state/read_places.h"
#include "state/releases.h"

namespace cc::state {
namespace {

Result<std::vector<User>> load_users(Database& database) {
  std::vector<User> users;
  std::unordered_map<std::string, std::size_t> place;
  Rows rows = database.ask(
      "SELECT name, display_name, password_hash, disabled, created, token_epoch, revision FROM user ORDER BY "
      "name");
  while (rows.next()) {
    place.emplace(rows.text(0), users.size());
    users.push_back({.name = rows.text(0),
                     .display_name = rows.text(1),
                     .password_hash = rows.text(2),
                     .disabled = rows.flag(3),
                     .created = rows.time(4),
                     .token_epoch = rows.number(5),
                     .revision = rows.number(6)});
  }
  Rows grants = database.ask(
      "SELECT user, role, environment, application, department FROM role_grant "
      "ORDER BY user, role, environment, application, department");
  while (grants.next()) {
    const auto user = place.find(grants.text(0));
    if (user == place.end()) continue;
    TRY(const Role role, parse_role(grants.view(1)));
    users[user->second].grants.push_back({role, {grants.text(2), grants.text(3), grants.text(4)}});
  }
  return users;
}

std::vector<AccessKey> load_keys(Database& database) {
  std::vector<AccessKey> keys;
  Rows rows = database.ask(
      "SELECT id, secret_hash, description, application, environment, addresses, expires, revoked, created_by, "
      "created, "
      "revision FROM access_key ORDER BY id");
  while (rows.next()) {
    AccessKey& key = keys.emplace_back();
    key.id = rows.text(0);
    key.secret_hash = rows.text(1);
    key.description = rows.text(2);
    key.application = rows.text(3);
    key.environment = rows.text(4);
    if (const auto addresses = rows.view(5); !addresses.empty()) {
      for (const std::string_view address : split(addresses, '\n'))
        key.addresses.emplace_back(address);
    }
    if (!rows.null(6)) key.expires = rows.time(6);
    key.revoked = rows.flag(7);
    key.created_by = rows.text(8);
    key.created = rows.time(9);
    key.revision = rows.number(10);
  }
  return keys;
}

}  // namespace

void load_all_releases(Database& database, const std::function<void(ReleasePtr)>& each) {
  Rows rows = database.ask("SELECT " CC_RELEASE_COLUMNS
                           ", c.key FROM config c JOIN release r ON r.id = c.release ORDER BY c.key");
  while (rows.next())
    each(read_release(rows, 0, rows.text(kReleaseColumns)));
}

Result<Identity> load_all_identity(Database& database) {
  Identity identity;
  TRY(identity.users, load_users(database));
  identity.keys = load_keys(database);
  Rows tokens = database.ask("SELECT id, expires FROM revoked_token ORDER BY id");
  while (tokens.next())
    identity.revoked_tokens.push_back({tokens.text(0), tokens.time(1)});
  Rows applications = database.ask("SELECT " CC_APPLICATION_COLUMNS " FROM application ORDER BY name");
  while (applications.next())
    identity.applications.push_back(read_application(applications));
  return identity;
}

}  // namespace cc::state
