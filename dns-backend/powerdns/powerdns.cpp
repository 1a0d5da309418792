#include "dns-backend/powerdns/powerdns.hpp"

#include "dns-backend/powerdns/objects.hpp"
#include "dns-backend/powerdns/zones/routes.hpp"

namespace powerdns {

void add_routes(net::Router& router, Dependencies const& dependencies) {
  add_server_routes(router, dependencies);
  add_zone_routes(router, dependencies);
  add_zone_action_routes(router, dependencies);
  add_metadata_routes(router, dependencies);
  add_cryptokey_routes(router, dependencies);
  add_tsigkey_routes(router, dependencies);
}

}  // namespace powerdns
