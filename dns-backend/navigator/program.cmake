program(navigator dns-backend/navigator
  SOURCES succession.cpp own_certificates.cpp navigator.cpp
  DEPENDS base/result base/net base/process base/manual base/database topology dns-backend/store dns-backend/connector
    dns-backend/handover dns-backend/pipe dns-backend/settings dns-backend/api dns-backend/api/steering
    dns-backend/api/health dns-backend/feed dns-backend/commands dns-backend/commands/remote
    dns-backend/commands/steering dns-backend/commands/health
    dns-backend/commands/certificates dns-backend/commands/tenants dns-backend/self_service dns-backend/steward
    dns-backend/daemon acme/keyring acme/schema dns-backend/geo dns-backend/transitions dns-backend/overrides
    dns-backend/topology_pools dns-backend/invitations base/http_client base/http_server
  LIBRARIES CLI11::CLI11)
