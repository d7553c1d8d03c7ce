#include "service/directory.h"

#include <utility>

namespace cc::service {

identity::DirectoryPtr make_directory(state::Identity identity, std::string jwt_secret, bool anonymous_may_read,
                                      const identity::DirectoryPtr& before) {
  identity::Departments departments;
  for (Application& application : identity.applications) {
    if (!application.department.empty())
      departments.emplace(std::move(application.name), std::move(application.department));
  }
  const bool same_departments = before && *before->departments() == departments;
  identity::Directory::Content content{
      .users = std::move(identity.users),
      .keys = std::move(identity.keys),
      .revoked_tokens = make_revoked(identity.revoked_tokens),
      .departments = same_departments ? before->departments()
                                      : std::make_shared<const identity::Departments>(std::move(departments))};
  return std::make_shared<const identity::Directory>(std::move(content), std::move(jwt_secret), anonymous_may_read);
}

identity::RevokedTokens make_revoked(const std::vector<state::RevokedToken>& tokens) {
  identity::RevokedTokens revoked;
  revoked.reserve(tokens.size());
  for (const state::RevokedToken& token : tokens)
    revoked.emplace(token.id, token.expires);
  return revoked;
}

}  // namespace cc::service
