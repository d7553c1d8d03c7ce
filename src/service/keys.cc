#include "service/keys.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "identity/address.h"
#include "identity/token.h"
#include "model/quote.h"
#include "proto/command.pb.h"
#include "service/administer.h"
#include "service/content.h"

namespace cc::service {
namespace {

constexpr std::size_t kMostAddresses = 100;

const AccessKey* find_key(const Context& context, std::string_view id) {
  const auto& keys = context.directory->keys();
  const auto at = std::ranges::find(keys, id, &AccessKey::id);
  return at == keys.end() ? nullptr : &*at;
}

Result<> check(const KeyRequest& request, const Limits& limits, Wall now) {
  TRYV(check_name(request.application, "application", limits.name));
  if (!request.environment.empty()) TRYV(check_name(request.environment, "environment", limits.name));
  TRYV(check_text(limits, request.description, "description"));
  if (request.addresses.size() > kMostAddresses)
    return fail(Code::invalid_argument, fmt::format("a key holds at most {} address ranges", kMostAddresses));
  for (const std::string& range : request.addresses)
    TRYV(identity::check_address_range(range));
  if (request.expires && *request.expires <= now)
    return fail(Code::invalid_argument, "expires_at has passed already; give a time to come, or none");
  return {};
}

}  // namespace

Result<state::Page<AccessKey>> list_keys(Context& context, const Call& call, const state::PageRequest& page) {
  if (!call.caller->may_somewhere(Permission::manage_keys))
    TRYV(authorise(context, call, Permission::manage_keys, "key.list", ""));
  return page_by_name(
      context.directory->keys(), page, [](const AccessKey& key) -> const std::string& { return key.id; },
      [&](const AccessKey& key) {
        return call.caller->may(Permission::manage_keys, key.environment, key.application);
      });
}

Task<Result<CreatedKey>> create_key(Context& context, const Call& call, KeyRequest request) {
  CO_TRYV(authorise(context, call, Permission::manage_keys, "key.create", request.application, request.environment,
                    request.application));
  CO_TRYV(check(request, context.limits, context.clock.wall()));
  // The same request id makes the same key again: an answer that was lost is not a key that nobody knows.
  const auto made = identity::make_access_key(
      hmac_sha256(context.jwt_secret, fmt::format("access key\n{}\n{}", call.caller->name, call.request_id)));
  log::Command command;
  auto& what = *command.mutable_create_access_key();
  what.set_id(made.id);
  what.set_secret_hash(made.secret_hash);
  what.set_description(request.description);
  what.set_application(request.application);
  what.set_environment(request.environment);
  for (const std::string& range : request.addresses)
    what.add_addresses(range);
  if (request.expires) what.set_expires_ms(request.expires->time_since_epoch().count());
  CO_TRY(const Done done, co_await propose_done(context, call, std::move(command)));
  const AccessKey* key = find_key(context, made.id);
  if (key == nullptr || key->secret_hash != made.secret_hash) {
    co_return fail(Code::conflict, fmt::format("an earlier request had the id {}; give each its own", call.request_id));
  }
  co_return CreatedKey{.key = *key, .text = made.text, .repeated = done.repeated};
}

Task<Result<RevokedKey>> revoke_key(Context& context, const Call& call, std::string id) {
  const AccessKey* key = find_key(context, id);
  CO_TRYV(authorise(context, call, Permission::manage_keys, "key.revoke", id, key != nullptr ? key->environment : "",
                    key != nullptr ? key->application : ""));
  if (key == nullptr) {
    co_return fail(
        Code::not_found,
        fmt::format("there is no access key {}; see GET /v1/keys, or config-center key list", cc::quoted(id)));
  }
  AccessKey revoked = *key;
  log::Command command;
  command.mutable_revoke_access_key()->set_id(id);
  CO_TRY(const Done done, co_await propose_done(context, call, std::move(command)));
  revoked.revoked = true;
  co_return RevokedKey{.key = std::move(revoked), .repeated = done.repeated};
}

}  // namespace cc::service
