module(dns-backend/dns SOURCES name.cpp type.cpp present.cpp rdata.cpp zone_rules.cpp zone_file.cpp nsec3.cpp
  DEPENDS base/result LIBRARIES PkgConfig::ldns PkgConfig::idn2 Boost::headers)
module(dns-backend/pool SOURCES health_table.cpp monitor.cpp select.cpp
  DEPENDS base/result base/net base/probe base/process)
module(dns-backend/store
  SOURCES schema.cpp snapshot.cpp zone_builder.cpp model.cpp compose.cpp build.cpp rules.cpp store.cpp store_zones.cpp
    store_settings.cpp store_tenants.cpp
  DEPENDS base/result base/net base/database base/process base/probe dns-backend/dns dns-backend/pool
  LIBRARIES Boost::json)
module(dns-backend/remote SOURCES request.cpp reply.cpp rows.cpp neighbours.cpp secondary.cpp
  commands.cpp answer.cpp transaction.cpp write.cpp meters.cpp
  session.cpp listener.cpp purge_queue.cpp zone_arrivals.cpp purge.cpp
  DEPENDS base/result base/net base/process base/database base/probe dns-backend/dns dns-backend/pool dns-backend/store
  LIBRARIES Boost::json)
module(dns-backend/api SOURCES routes.cpp body.cpp status.cpp zones.cpp settings.cpp rrsets.cpp tenants.cpp
  DEPENDS base/result base/net base/process base/database base/probe dns-backend/dns dns-backend/pool dns-backend/store
  LIBRARIES Boost::json)
module(dns-backend/feed SOURCES codec.cpp feed_server.cpp follower.cpp
  DEPENDS base/result base/net base/process base/database dns-backend/dns dns-backend/store
  LIBRARIES Boost::json)
module(dns-backend/cloudflare SOURCES record.cpp plan.cpp wanted.cpp client.cpp sync.cpp
  DEPENDS base/result base/net base/process dns-backend/dns dns-backend/pool dns-backend/store
  LIBRARIES Boost::json)
