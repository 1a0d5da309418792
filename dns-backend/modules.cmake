module(dns-backend/dns SOURCES name.cpp type.cpp present.cpp rdata.cpp ttl.cpp zone_rules.cpp nsec3.cpp
  DEPENDS base/result LIBRARIES PkgConfig::ldns PkgConfig::idn2 Boost::headers)
module(dns-backend/vantage SOURCES council.cpp report.cpp exchange.cpp
  DEPENDS base/result base/net base/process base/probe base/http base/http_client LIBRARIES Boost::json)
module(dns-backend/transitions SOURCES transition_log.cpp
  DEPENDS base/result base/net base/process base/probe base/database base/store_thread)
module(dns-backend/webhook SOURCES webhook.cpp
  DEPENDS base/result base/net base/process base/http base/http_client LIBRARIES Boost::json OpenSSL::Crypto)
module(dns-backend/geo SOURCES geo.cpp cidr_map.cpp mmdb.cpp locators.cpp
  DEPENDS base/result LIBRARIES Boost::headers PkgConfig::maxminddb)
module(dns-backend/pool SOURCES health_table.cpp candidates.cpp draw.cpp steering.cpp origins.cpp select.cpp
    bindings.cpp
  DEPENDS base/result base/net base/probe base/process dns-backend/geo)
module(dns-backend/monitor
  SOURCES endpoint_state.cpp report.cpp recent_checks.cpp warm.cpp saving.cpp engine.cpp monitor.cpp
  DEPENDS base/result base/net base/probe base/process dns-backend/pool LIBRARIES Boost::json)
module(dns-backend/steering SOURCES objects.cpp service_bindings.cpp address.cpp check.cpp build.cpp
  DEPENDS base/result base/config base/probe dns-backend/dns dns-backend/pool LIBRARIES Boost::json)
module(dns-backend/steering/reading SOURCES service_bindings.cpp read.cpp json_document.cpp
  DEPENDS base/result base/config base/probe dns-backend/dns dns-backend/pool dns-backend/steering LIBRARIES
    Boost::json)
module(dns-backend/snapshot/persistent SOURCES balanced_names.cpp leading_names.cpp DEPENDS base/result base/probe
    dns-backend/pool)
module(dns-backend/overrides SOURCES overrides.cpp
  DEPENDS base/result base/net base/probe base/database base/store_thread dns-backend/monitor)
module(dns-backend/snapshot SOURCES snapshot.cpp zone_builder.cpp leading.cpp
  DEPENDS base/result base/probe dns-backend/dns dns-backend/pool dns-backend/snapshot/persistent)
module(dns-backend/overview SOURCES affected.cpp overview.cpp watches.cpp
  DEPENDS base/result base/net base/process base/probe dns-backend/dns dns-backend/geo dns-backend/pool
    dns-backend/snapshot dns-backend/steering dns-backend/store dns-backend/monitor dns-backend/vantage)
module(dns-backend/mesh_costs SOURCES mesh_costs.cpp
  DEPENDS base/result base/net base/process dns-backend/geo routing/bird)
module(dns-backend/zone_file SOURCES zone_file.cpp DEPENDS base/result dns-backend/dns)
module(dns-backend/schema SOURCES schema.cpp DEPENDS base/result base/database)
module(dns-backend/tables/rows SOURCES rows.cpp DEPENDS base/result base/database dns-backend/dns LIBRARIES Boost::json)
module(dns-backend/tables SOURCES model.cpp tenants.cpp steering.cpp compose.cpp build.cpp
  DEPENDS base/result base/process base/database dns-backend/dns dns-backend/pool dns-backend/snapshot
    dns-backend/schema dns-backend/steering dns-backend/steering/reading dns-backend/tables/rows
  LIBRARIES Boost::json)
module(dns-backend/writes SOURCES write.cpp rules.cpp steering.cpp zones.cpp pools.cpp challenges.cpp caa.cpp
  DEPENDS base/result base/database base/probe dns-backend/dns dns-backend/pool dns-backend/snapshot dns-backend/tables
    dns-backend/steering
  LIBRARIES Boost::json)
module(dns-backend/look_alike SOURCES look_alike.cpp DEPENDS base/result LIBRARIES PkgConfig::icu)
module(dns-backend/tenants SOURCES label.cpp plan.cpp fit.cpp life_cycle.cpp journal.cpp records.cpp
  DEPENDS base/result base/database dns-backend/dns dns-backend/look_alike dns-backend/pool dns-backend/snapshot
    dns-backend/tables dns-backend/steering dns-backend/writes
  LIBRARIES Boost::json PkgConfig::idn2)
module(dns-backend/tenant_pools SOURCES addresses.cpp read.cpp write.cpp
  DEPENDS base/result base/database dns-backend/dns dns-backend/pool dns-backend/snapshot dns-backend/tables
    dns-backend/steering dns-backend/steering/reading dns-backend/writes dns-backend/tenants
  LIBRARIES Boost::json Boost::headers)
module(dns-backend/store
  SOURCES store.cpp store_zones.cpp store_settings.cpp store_tenants.cpp store_steering.cpp
  DEPENDS base/result base/net base/database base/process base/probe dns-backend/dns dns-backend/pool
    dns-backend/snapshot
    dns-backend/tables dns-backend/tables/rows dns-backend/writes dns-backend/steering dns-backend/steering/reading
    dns-backend/schema
    dns-backend/tenants base/store_thread
  LIBRARIES Boost::json)
module(dns-backend/steward SOURCES steward.cpp
  DEPENDS base/result base/net base/process base/database base/store_thread dns-backend/store dns-backend/writes
    dns-backend/tenants dns-backend/tables dns-backend/snapshot dns-backend/dns dns-backend/pool dns-backend/steering)
module(dns-backend/tokens SOURCES scope.cpp secret.cpp tokens.cpp rate.cpp
  DEPENDS base/result base/net base/database base/store_thread dns-backend/dns dns-backend/pool dns-backend/snapshot
    dns-backend/steering dns-backend/tables dns-backend/writes dns-backend/store dns-backend/tenants
  LIBRARIES Boost::json OpenSSL::Crypto)
module(dns-backend/invitations SOURCES invitations.cpp sign_up.cpp
  DEPENDS base/result base/database dns-backend/dns dns-backend/pool dns-backend/snapshot dns-backend/steering
    dns-backend/tables dns-backend/writes dns-backend/tenants dns-backend/tokens
  LIBRARIES Boost::headers)
module(dns-backend/domains SOURCES verify.cpp trace.cpp domains.cpp
  DEPENDS base/result base/database dns-backend/dns dns-backend/pool dns-backend/snapshot dns-backend/steering
    dns-backend/tables dns-backend/writes dns-backend/tenants dns-backend/tokens)
module(dns-backend/domain_watch SOURCES domain_watch.cpp
  DEPENDS base/result base/net base/process base/database base/store_thread dns-backend/dns dns-backend/tables
    dns-backend/writes dns-backend/tenants dns-backend/store dns-backend/domains dns-backend/name_server)
module(dns-backend/audit SOURCES audit.cpp kept_answers.cpp under_way.cpp
  DEPENDS base/result base/net base/database base/store_thread LIBRARIES Boost::json)
module(dns-backend/protocol SOURCES request.cpp question.cpp reply.cpp
  DEPENDS base/result dns-backend/dns dns-backend/geo dns-backend/snapshot LIBRARIES Boost::json)
module(dns-backend/remote SOURCES rows.cpp neighbours.cpp secondary.cpp commands.cpp answer.cpp transaction.cpp
    write.cpp
  DEPENDS base/result base/net base/database base/probe dns-backend/dns dns-backend/geo dns-backend/pool
    dns-backend/snapshot dns-backend/store dns-backend/protocol
  LIBRARIES Boost::json)
module(dns-backend/handover SOURCES sockets.cpp handover.cpp DEPENDS base/result base/net base/process)
module(dns-backend/conversation SOURCES meters.cpp framing.cpp reply_memo.cpp conversation.cpp
  DEPENDS base/result base/net base/process base/http dns-backend/geo dns-backend/pool dns-backend/snapshot
    dns-backend/store dns-backend/remote dns-backend/protocol)
module(dns-backend/connector SOURCES session.cpp line_session.cpp lookup_loop.cpp door.cpp listener.cpp
  DEPENDS base/result base/net base/process dns-backend/geo dns-backend/pool dns-backend/snapshot dns-backend/store
    dns-backend/conversation dns-backend/handover)
module(dns-backend/pipe SOURCES relay.cpp DEPENDS base/result base/process dns-backend/remote
    dns-backend/protocol)
module(dns-backend/purge SOURCES purge_queue.cpp zone_arrivals.cpp zone_changes.cpp purge.cpp zone_flusher.cpp
  DEPENDS base/result base/net base/process dns-backend/dns dns-backend/snapshot dns-backend/store
    base/http_client)
module(dns-backend/api
  SOURCES access.cpp routes.cpp body.cpp status.cpp zones.cpp zone_settings.cpp autoprimaries.cpp rrsets.cpp
  DEPENDS base/result base/pages base/net base/process base/database base/probe dns-backend/dns dns-backend/pool
    dns-backend/snapshot dns-backend/store dns-backend/monitor dns-backend/overrides dns-backend/transitions
    base/store_thread
    base/http base/http_client dns-backend/zone_file
  LIBRARIES Boost::json OpenSSL::Crypto)
module(dns-backend/api/gate SOURCES gate.cpp
  DEPENDS base/result base/net base/process base/http base/store_thread dns-backend/store dns-backend/api
    dns-backend/audit dns-backend/tokens
  LIBRARIES Boost::json)
set(openapi_text ${CMAKE_BINARY_DIR}/openapi.cpp)
set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/docs/openapi.yaml)
file(READ ${PROJECT_SOURCE_DIR}/docs/openapi.yaml openapi_yaml)
configure_file(${PROJECT_SOURCE_DIR}/dns-backend/api/tenants/openapi.cpp.in ${openapi_text} @ONLY)
module(dns-backend/api/tenants
  SOURCES routes.cpp life_cycle.cpp records.cpp tokens.cpp domains.cpp certificates.cpp insight.cpp
  DEPENDS base/result base/pages base/net base/process base/database base/probe base/http base/store_thread
    dns-backend/dns
    dns-backend/snapshot dns-backend/tables dns-backend/writes dns-backend/store dns-backend/monitor
    dns-backend/api dns-backend/tenants dns-backend/tokens dns-backend/domains dns-backend/audit
  LIBRARIES Boost::json)
target_sources(dns-backend.api.tenants PRIVATE ${openapi_text})
module(dns-backend/api/audit_log SOURCES audit_log.cpp
  DEPENDS base/result base/pages base/net base/http base/store_thread dns-backend/store dns-backend/api
    dns-backend/api/tenants dns-backend/tokens dns-backend/audit
  LIBRARIES Boost::json)
module(dns-backend/api/acme_dns SOURCES acme_accounts.cpp acme_dns.cpp
  DEPENDS base/result base/pages base/net base/http base/database base/store_thread dns-backend/dns dns-backend/writes
    dns-backend/tables dns-backend/store dns-backend/api dns-backend/api/tenants dns-backend/tenants dns-backend/tokens
  LIBRARIES Boost::json)
module(dns-backend/api/sign_up SOURCES invitations.cpp sign_up.cpp
  DEPENDS base/result base/pages base/net base/process base/http base/database base/store_thread dns-backend/dns
    dns-backend/tables dns-backend/writes dns-backend/store dns-backend/api dns-backend/api/tenants dns-backend/tenants
    dns-backend/tokens dns-backend/invitations
  LIBRARIES Boost::json)
module(dns-backend/api/tenant_pools SOURCES tenant_pools.cpp
  DEPENDS base/result base/pages base/net base/process base/probe base/http base/database dns-backend/dns
    dns-backend/steering
    dns-backend/tables dns-backend/writes dns-backend/store dns-backend/monitor dns-backend/api dns-backend/api/tenants
    dns-backend/tenants dns-backend/tenant_pools dns-backend/tokens
  LIBRARIES Boost::json)
module(dns-backend/api/health SOURCES overrides.cpp reports.cpp transitions.cpp
  DEPENDS base/result base/net base/process base/probe base/http dns-backend/monitor dns-backend/overrides
    dns-backend/transitions dns-backend/store dns-backend/api
  LIBRARIES Boost::json)
module(dns-backend/api/steering SOURCES pools.cpp steering.cpp
  DEPENDS base/result base/pages base/net base/process base/config base/probe dns-backend/dns dns-backend/pool
    dns-backend/snapshot
    dns-backend/store dns-backend/steering dns-backend/steering/reading dns-backend/api
    base/http
  LIBRARIES Boost::json)
module(dns-backend/feed SOURCES codec.cpp feed_server.cpp follower.cpp
  DEPENDS base/result base/net base/process base/database dns-backend/dns dns-backend/snapshot dns-backend/store
    base/http base/http_client
  LIBRARIES Boost::json)
module(dns-backend/cloudflare SOURCES record.cpp plan.cpp wanted.cpp client.cpp sync.cpp
  DEPENDS base/result base/net base/process dns-backend/dns dns-backend/pool
    dns-backend/snapshot dns-backend/store
    base/http_client
  LIBRARIES Boost::json)
module(dns-backend/dnssec SOURCES key.cpp DEPENDS base/result dns-backend/dns LIBRARIES PkgConfig::ldns)
module(dns-backend/powerdns/zones SOURCES routes.cpp serial.cpp zone_json.cpp rrset_json.cpp new_zone.cpp zones.cpp
  DEPENDS base/result base/net base/process base/database dns-backend/dns dns-backend/pool dns-backend/snapshot
    dns-backend/store dns-backend/api
    dns-backend/dnssec
    dns-backend/zone_file
  LIBRARIES Boost::json OpenSSL::Crypto)
module(dns-backend/powerdns
  SOURCES powerdns.cpp zone_actions.cpp metadata.cpp cryptokeys.cpp tsigkeys.cpp search.cpp server.cpp
  DEPENDS base/result base/net base/process base/database dns-backend/dns dns-backend/pool dns-backend/snapshot
    dns-backend/store dns-backend/api
    dns-backend/dnssec dns-backend/powerdns/zones
    dns-backend/zone_file
  LIBRARIES Boost::json OpenSSL::Crypto)
module(dns-backend/name_server SOURCES error.cpp dns_connection.cpp transfer.cpp name_server.cpp
  DEPENDS base/result dns-backend/dns dns-backend/snapshot LIBRARIES PkgConfig::ldns)
module(dns-backend/migrate
  SOURCES assemble.cpp sql_source.cpp sqlite.cpp postgres.cpp axfr.cpp diff.cpp check.cpp
  DEPENDS base/result dns-backend/dns dns-backend/snapshot dns-backend/store dns-backend/name_server
    dns-backend/zone_file
  LIBRARIES Boost::json SQLiteCpp PkgConfig::sqlite3 PkgConfig::libpq)
module(dns-backend/commands/remote SOURCES token_file.cpp remote.cpp
  DEPENDS base/result base/net base/process base/http base/http_client LIBRARIES Boost::headers CLI11::CLI11)
module(dns-backend/commands
  SOURCES connection.cpp progress.cpp table.cpp show_commands.cpp zone_commands.cpp import_commands.cpp
    compare_commands.cpp key_commands.cpp command_line.cpp
  DEPENDS base/result base/net base/process base/database dns-backend/dns dns-backend/pool dns-backend/snapshot
    dns-backend/store dns-backend/api dns-backend/api/steering
    dns-backend/powerdns dns-backend/powerdns/zones dns-backend/name_server
    dns-backend/migrate
    base/http base/http_client dns-backend/zone_file dns-backend/commands/remote
  LIBRARIES Boost::json CLI11::CLI11)
module(dns-backend/commands/steering SOURCES yaml.cpp sending.cpp set_commands.cpp object_commands.cpp command_line.cpp
  DEPENDS base/result base/config base/database dns-backend/pool dns-backend/steering dns-backend/steering/reading
    dns-backend/commands
    base/http
  LIBRARIES Boost::json CLI11::CLI11)
module(dns-backend/commands/health SOURCES health_commands.cpp command_line.cpp
  DEPENDS base/result base/http dns-backend/commands LIBRARIES Boost::json CLI11::CLI11)
module(dns-backend/commands/tenants SOURCES calls.cpp tenant_commands.cpp invitation_commands.cpp sign_up_commands.cpp
    command_line.cpp
  DEPENDS base/result base/http base/net base/process dns-backend/commands dns-backend/commands/remote
    dns-backend/tokens
  LIBRARIES Boost::json CLI11::CLI11)
module(dns-backend/settings SOURCES tenants.cpp settings.cpp
  DEPENDS base/result base/config dns-backend/connector LIBRARIES Boost::headers)
module(dns-backend/self_service SOURCES names.cpp self_service.cpp
  DEPENDS dns-backend/dns dns-backend/tables dns-backend/steering base/result base/net base/http base/process
    dns-backend/settings dns-backend/store dns-backend/api
    dns-backend/api/gate dns-backend/api/tenants dns-backend/api/audit_log dns-backend/api/acme_dns
    dns-backend/api/tenant_pools
    dns-backend/api/sign_up dns-backend/invitations dns-backend/writes
    dns-backend/tenants dns-backend/tokens dns-backend/tenant_pools
    dns-backend/domains
    dns-backend/domain_watch dns-backend/steward dns-backend/audit base/store_thread
  LIBRARIES Boost::json)
module(dns-backend/topology_pools SOURCES topology_pools.cpp
  DEPENDS base/result base/database base/net base/process base/probe dns-backend/dns dns-backend/pool
    dns-backend/snapshot
    dns-backend/steering dns-backend/store topology)
module(dns-backend/site_settings SOURCES site_settings.cpp
  DEPENDS base/result base/net base/process base/probe base/http base/http_client base/config dns-backend/geo
    dns-backend/connector
    dns-backend/settings dns-backend/vantage dns-backend/mesh_costs routing/bird)
module(dns-backend/daemon SOURCES daemon.cpp health.cpp sites.cpp certificates.cpp powerdns_api.cpp
  DEPENDS base/result base/net base/process base/probe base/database base/http_client base/http_server topology
    dns-backend/dns dns-backend/snapshot dns-backend/pool dns-backend/geo dns-backend/store dns-backend/purge
    dns-backend/connector dns-backend/handover dns-backend/settings dns-backend/site_settings dns-backend/api
    dns-backend/feed dns-backend/powerdns dns-backend/monitor dns-backend/vantage dns-backend/transitions
    dns-backend/overrides dns-backend/webhook dns-backend/overview dns-backend/mesh_costs
    dns-backend/self_service dns-backend/domains dns-backend/domain_watch acme acme/administration
    acme/ordering acme/upload acme/gate
    acme/crypto acme/distribution acme/keyring acme/schedule acme/vault
  LIBRARIES Boost::json)
module(dns-backend/commands/certificates SOURCES certificate_commands.cpp command_line.cpp
  DEPENDS base/result base/http base/process dns-backend/commands dns-backend/commands/health
  LIBRARIES Boost::json CLI11::CLI11)
