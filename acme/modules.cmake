# crypto -> messages, challenge -> protocol; messages -> schedule; crypto -> keyring -> vault (on schema); these ->
# authority, gate; authority -> revocations, dropped_orders; crypto -> alarms; vault -> subjects;
# crypto -> upload, measures; schedule, vault -> status; status, gate -> explain; all these -> ordering -> acme;
# subjects, vault -> fleet -> distribution; acme, distribution, explain -> administration;
# edge and edge/client stand alone: they run on other machines.
module(acme/edge/client SOURCES errc.cpp bundle.cpp verify.cpp client.cpp
  DEPENDS base/result base/net base/http_client LIBRARIES Boost::json OpenSSL::Crypto OpenSSL::SSL)
module(acme/edge SOURCES install.cpp nginx.cpp web_server.cpp handshake.cpp agent.cpp
  DEPENDS base/result base/net base/process acme/edge/client LIBRARIES OpenSSL::Crypto OpenSSL::SSL)
module(acme/crypto SOURCES errc.cpp encoding.cpp time.cpp key.cpp jws.cpp csr.cpp certificate.cpp
  DEPENDS base/result LIBRARIES Boost::json OpenSSL::Crypto)
module(acme/messages SOURCES errc.cpp messages.cpp
  DEPENDS base/result acme/crypto LIBRARIES Boost::json)
module(acme/challenge SOURCES challenge.cpp
  DEPENDS base/result acme/crypto)
module(acme/protocol SOURCES order_machine.cpp order_search.cpp client.cpp
  DEPENDS base/result base/net acme/crypto acme/messages acme/challenge
    base/http_client LIBRARIES Boost::json)
module(acme/keyring SOURCES errc.cpp seal.cpp keyring.cpp
  DEPENDS base/result base/process base/database acme/crypto LIBRARIES OpenSSL::Crypto)
module(acme/schema SOURCES schema.cpp
  DEPENDS base/result base/database)
module(acme/vault/rows SOURCES rows.cpp
  DEPENDS base/result acme/crypto)
module(acme/vault/texts SOURCES texts.cpp
  DEPENDS base/result base/database)
module(acme/vault SOURCES errc.cpp vault.cpp orders.cpp subjects.cpp issuing.cpp sealing.cpp edges.cpp
  DEPENDS base/result base/net base/database acme/crypto acme/keyring acme/schema acme/vault/rows acme/vault/texts
    base/store_thread)
module(acme/schedule SOURCES renewal.cpp failover.cpp limits.cpp ahead.cpp planner.cpp
  DEPENDS base/result acme/crypto acme/messages)
module(acme/authority SOURCES authority.cpp
  DEPENDS base/result base/net base/process acme/crypto acme/messages acme/challenge acme/protocol acme/vault
    acme/schedule)
module(acme/revocations SOURCES revocations.cpp
  DEPENDS base/result base/net base/process acme/crypto acme/messages acme/challenge acme/protocol acme/keyring
    acme/vault acme/schedule acme/authority)
module(acme/dropped_orders SOURCES dropped_orders.cpp
  DEPENDS base/result base/net base/process acme/crypto acme/messages acme/challenge acme/protocol acme/keyring
    acme/vault acme/schedule acme/authority)
module(acme/alarms SOURCES alarms.cpp
  DEPENDS base/result acme/crypto)
module(acme/gate SOURCES errc.cpp dns01.cpp pulse.cpp caa.cpp caa_records.cpp
  DEPENDS base/result base/net base/process base/probe base/database dns-backend/dns dns-backend/snapshot
    dns-backend/tables dns-backend/store acme/challenge acme/protocol)
module(acme/measures SOURCES measures.cpp
  DEPENDS base/result base/process acme/crypto)
module(acme/upload SOURCES upload.cpp
  DEPENDS base/result acme/crypto LIBRARIES OpenSSL::Crypto)
module(acme/subjects SOURCES movements.cpp subjects.cpp choice.cpp names.cpp
  DEPENDS base/result base/net base/database dns-backend/dns dns-backend/tables dns-backend/store dns-backend/domains
    acme/crypto acme/vault
  LIBRARIES PkgConfig::psl)
module(acme/ordering SOURCES ordering.cpp
  DEPENDS base/result base/net base/process dns-backend/store acme/crypto
    acme/messages acme/challenge acme/protocol acme/vault acme/authority acme/gate acme/subjects)
module(acme/status SOURCES status.cpp attempts.cpp
  DEPENDS base/result acme/schedule acme/vault LIBRARIES Boost::json)
module(acme/explain SOURCES explain.cpp
  DEPENDS base/result acme/crypto acme/schedule acme/vault acme/status acme/gate)
module(acme SOURCES issuer.cpp issuer_order.cpp issuer_renewal.cpp issuer_status.cpp issuer_commands.cpp
    issuer_uploads.cpp
  DEPENDS base/result base/net base/process dns-backend/store acme/crypto acme/messages acme/challenge acme/protocol
    acme/vault acme/schedule acme/authority acme/gate acme/subjects acme/ordering acme/revocations acme/measures
    acme/dropped_orders acme/alarms acme/upload acme/status)
module(acme/fleet SOURCES fleet.cpp readiness.cpp
  DEPENDS base/result acme/crypto acme/vault acme/subjects)
module(acme/distribution SOURCES facts.cpp following.cpp distribution.cpp
  DEPENDS base/result base/pages base/net base/process base/http base/database dns-backend/dns dns-backend/tables
    dns-backend/domains dns-backend/store acme/crypto acme/keyring acme/vault acme/subjects acme/fleet
  LIBRARIES Boost::json)
module(acme/administration SOURCES administration.cpp why.cpp key_routes.cpp
  DEPENDS base/result base/pages base/net base/process base/http base/probe base/database dns-backend/dns
    dns-backend/snapshot dns-backend/tables dns-backend/domains dns-backend/store acme/crypto acme/protocol acme/keyring
    acme/vault acme/schedule acme/authority acme/gate acme/ordering acme/subjects acme/fleet acme/distribution acme
    acme/status acme/explain
  LIBRARIES Boost::json)
