# The foundation: no domain words here. Downward only.
# base/asio holds the compiled half of Asio and no header. It hangs below base/result, because even value types use
# Asio's addresses and every module links base/result.
module(base/asio SOURCES separate.cpp LIBRARIES Boost::headers Threads::Threads)
module(base/result SOURCES result.cpp problem.cpp DEPENDS base/asio LIBRARIES Boost::headers)
module(base/process SOURCES log.cpp metrics.cpp service.cpp startup_code.cpp child.cpp detached.cpp files.cpp folders.cpp descriptors.cpp
    secrets.cpp
  DEPENDS base/result
  LIBRARIES spdlog::spdlog fmt::fmt prometheus-cpp::core PkgConfig::systemd Threads::Threads)
module(base/manual SOURCES page.cpp completion.cpp values.cpp DEPENDS base/result LIBRARIES CLI11::CLI11)
module(base/config SOURCES document.cpp nearest.cpp reader.cpp DEPENDS base/result LIBRARIES yaml-cpp)
module(base/net SOURCES separate.cpp task.cpp backoff.cpp tls.cpp stream.cpp
  DEPENDS base/result base/process
  LIBRARIES Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
module(base/http SOURCES http.cpp http_parse.cpp message.cpp problem.cpp conditional.cpp router.cpp
  DEPENDS base/result base/process base/net LIBRARIES Boost::headers Boost::json Boost::url)
module(base/gzip SOURCES gzip.cpp DEPENDS base/result LIBRARIES ZLIB::ZLIB)
module(base/pages SOURCES pages.cpp DEPENDS base/result base/net base/http LIBRARIES Boost::json)
module(base/http_client SOURCES url.cpp http_client.cpp
  DEPENDS base/result base/net base/http LIBRARIES Boost::headers Boost::url)
module(base/http_server SOURCES http_server.cpp revocations.cpp
  DEPENDS base/result base/process base/net base/http LIBRARIES Boost::headers OpenSSL::Crypto)
if(SOVEREIGN_TESTS)
  target_link_libraries(base.http_server.test PRIVATE base.http_client)  # the two are tested against each other
endif()
module(base/database SOURCES database.cpp connection.cpp schema.cpp change_log.cpp
  DEPENDS base/result base/process
  LIBRARIES SQLiteCpp PkgConfig::sqlite3)
module(base/store_thread SOURCES store_thread.cpp DEPENDS base/result base/net base/database)
module(base/probe/http SOURCES expected.cpp redirect.cpp DEPENDS base/result base/net LIBRARIES PkgConfig::re2
    Boost::url)
module(base/probe
  SOURCES health_state.cpp probe.cpp http_connection.cpp http_probe.cpp dns_probe.cpp dns_message.cpp icmp_probe.cpp
  DEPENDS base/result base/net base/probe/http LIBRARIES PkgConfig::ldns)
