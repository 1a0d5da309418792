program(navigator dns-backend/navigator
  SOURCES health.cpp sites.cpp daemon.cpp succession.cpp powerdns_api.cpp navigator.cpp
  DEPENDS base/result base/config base/net base/process base/probe base/database topology dns-backend/dns dns-backend/pool
    dns-backend/snapshot dns-backend/store dns-backend/connector dns-backend/handover dns-backend/pipe dns-backend/purge
    dns-backend/settings dns-backend/api dns-backend/api/steering dns-backend/api/health dns-backend/feed dns-backend/powerdns dns-backend/powerdns/zones
    dns-backend/commands dns-backend/commands/steering
    dns-backend/commands/health dns-backend/commands/tenants dns-backend/steering acme
    acme/crypto acme/vault dns-backend/monitor dns-backend/geo dns-backend/vantage dns-backend/transitions dns-backend/overrides
    dns-backend/webhook dns-backend/overview dns-backend/mesh_costs dns-backend/topology_pools dns-backend/site_settings
    dns-backend/self_service dns-backend/steward
    base/http_client base/http_server
  LIBRARIES CLI11::CLI11 Boost::json)
