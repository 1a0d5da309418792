module(dns-backend/dns SOURCES name.cpp type.cpp rdata.cpp zone_rules.cpp zone_file.cpp nsec3.cpp
  DEPENDS base/result LIBRARIES PkgConfig::ldns PkgConfig::idn2 Boost::headers)
module(dns-backend/pool SOURCES health_table.cpp monitor.cpp select.cpp
  DEPENDS base/result base/net base/probe base/process)
module(dns-backend/store
  SOURCES schema.cpp snapshot.cpp zone_builder.cpp model.cpp compose.cpp build.cpp rules.cpp store.cpp store_zones.cpp
    store_tenants.cpp
  DEPENDS base/result base/net base/database base/process base/probe dns-backend/dns dns-backend/pool
  LIBRARIES Boost::json)
module(dns-backend/remote SOURCES request.cpp reply.cpp rows.cpp neighbours.cpp answer.cpp transaction.cpp write.cpp
  DEPENDS base/result base/net base/database base/probe dns-backend/dns dns-backend/pool dns-backend/store
  LIBRARIES Boost::json)
module(dns-backend/handover SOURCES sockets.cpp handover.cpp DEPENDS base/result base/net base/process)
module(dns-backend/connector SOURCES meters.cpp framing.cpp conversation.cpp session.cpp door.cpp listener.cpp
  DEPENDS base/result base/net base/process dns-backend/pool dns-backend/store dns-backend/remote dns-backend/handover)
module(dns-backend/pipe SOURCES relay.cpp DEPENDS base/result base/process dns-backend/remote)
module(dns-backend/purge SOURCES purge_queue.cpp zone_arrivals.cpp zone_changes.cpp purge.cpp zone_flusher.cpp
  DEPENDS base/result base/net base/process dns-backend/dns dns-backend/store)
module(dns-backend/api SOURCES routes.cpp body.cpp status.cpp zones.cpp rrsets.cpp tenants.cpp
  DEPENDS base/result base/net base/process base/database base/probe dns-backend/dns dns-backend/pool dns-backend/store
  LIBRARIES Boost::json)
module(dns-backend/feed SOURCES codec.cpp feed_server.cpp follower.cpp
  DEPENDS base/result base/net base/process base/database dns-backend/dns dns-backend/store
  LIBRARIES Boost::json)
module(dns-backend/cloudflare SOURCES record.cpp plan.cpp wanted.cpp client.cpp sync.cpp
  DEPENDS base/result base/net base/process dns-backend/dns dns-backend/pool dns-backend/store
  LIBRARIES Boost::json)
