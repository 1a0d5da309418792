# Tests that belong to no single module. Unit tests and fuzz targets are declared by module().
#
#   ctest -L unit|tidy|fuzz|integration|lab|bench
if(NOT SOVEREIGN_TESTS)
  return()
endif()

add_executable(tidy.test ${PROJECT_SOURCE_DIR}/tests/tidy/tidy_test.cpp)
target_link_libraries(tidy.test PRIVATE project_options GTest::gtest GTest::gtest_main)
target_compile_definitions(tidy.test PRIVATE SOURCE_DIR="${PROJECT_SOURCE_DIR}"
  MODULE_EDGES="${CMAKE_BINARY_DIR}/module_edges.txt")
add_test(NAME tidy COMMAND tidy.test --gtest_brief=1)
set_tests_properties(tidy PROPERTIES LABELS tidy)

# Fixtures that write their zones as master files, in tests of modules that know none.
foreach(user dns-backend.store dns-backend.remote dns-backend.steward dns-backend.domain_watch acme acme.distribution
    acme.administration)
  target_link_libraries(${user}.test PRIVATE dns-backend.zone_file)
endforeach()

# Whose answers are held against docs/openapi.yaml.
foreach(user acme.distribution acme.administration)
  target_link_libraries(${user}.test PRIVATE dns-backend.api.tenants)
endforeach()

# Whose certificates the edges of its tests get.
target_link_libraries(acme.distribution.test PRIVATE acme)

# The whole API around the routes of tenants, with the gate; and the reader of their description.
set(whole_api dns-backend.api.audit_log dns-backend.api.acme_dns dns-backend.api.gate dns-backend.api.steering dns-backend.api.tenant_pools
  dns-backend.api.sign_up dns-backend.api.health dns-backend.zone_file base.config)
foreach(user dns-backend.api.tenants dns-backend.api.acme_dns dns-backend.api.tenant_pools dns-backend.api.sign_up
    dns-backend.api.audit_log)
  target_link_libraries(${user}.test PRIVATE ${whole_api})
endforeach()
target_link_libraries(fuzz.dns-backend.api.tenants.body PRIVATE ${whole_api} dns-backend.powerdns GTest::gmock)

# The checker of proofs, which shares nothing with the prover, judges what the prover made.
target_link_libraries(topology.proof.test PRIVATE topology.verify)

# What a repair link brings is for the alternates to say.
target_link_libraries(routing.repair_links.test PRIVATE routing.backup)

# What the admission of a node leaves in the book.
target_link_libraries(mesh.enrolment.test PRIVATE mesh.members)

# And the servers that clients are tried against.
foreach(user dns-backend.purge dns-backend.vantage dns-backend.webhook dns-backend.powerdns dns-backend.feed dns-backend.cloudflare dns-backend.api acme
    acme.distribution acme.administration acme.edge acme.edge.client
    acme.protocol acme.authority acme.revocations mesh.names)
  target_link_libraries(${user}.test PRIVATE base.http_server base.http_client)
endforeach()

# The scripted CA as a program, for suites below.
add_executable(scripted_ca ${PROJECT_SOURCE_DIR}/tests/support/scripted_ca.cpp)
target_link_libraries(scripted_ca PRIVATE acme.crypto base.http_server dns-backend.name_server OpenSSL::Crypto)

# Python suites against the real binaries. They use the release build, which is what operators run; SOVEREIGN_BIN names it.
set(SOVEREIGN_BIN ${PROJECT_SOURCE_DIR}/build/release/bin CACHE PATH "Folder of the binaries under test")
# Suites of the lab that neither measure nor count losses.
set(shares install_packages kernel_wireguard late_address mesh_names namespaces offline_root removed_names render
  restored_controller split_dns systemd systemd_mesh unprivileged yaml_subset)
# Two of these stand beside each other, because a mesh is idle nearly all the time, but beside no test that takes a whole
# processor: tests/run starts what is labelled quiet when those are through.
set(pairs doctor_all roll_back wireguard wrong_worlds)
foreach(kind integration lab)
  file(GLOB suites CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${kind}/*_test.py)
  foreach(suite IN LISTS suites)
    get_filename_component(stem ${suite} NAME_WE)
    string(REGEX REPLACE "_test$" "" stem ${stem})
    add_test(NAME ${kind}.${stem} COMMAND python3 ${suite})
    # What measures, or counts lost queries, wants the machine for itself.
    set(alone ON)
    if(kind STREQUAL integration AND NOT stem MATCHES "^(faults|restart|purge)$")
      set(alone OFF)
    endif()
    if(kind STREQUAL lab AND (stem IN_LIST shares OR stem IN_LIST pairs))
      set(alone OFF)
    endif()
    set(labels ${kind})
    if(kind STREQUAL lab AND NOT stem IN_LIST shares)
      list(APPEND labels quiet)
    endif()
    set_tests_properties(${kind}.${stem} PROPERTIES LABELS "${labels}" TIMEOUT 1200 RUN_SERIAL ${alone}
      ENVIRONMENT "NAVIGATOR=${SOVEREIGN_BIN}/navigator;PRIVATEER=${SOVEREIGN_BIN}/privateer;SCRIPTED_CA=$<TARGET_FILE:scripted_ca>;PYTHONDONTWRITEBYTECODE=1")
  endforeach()
endforeach()

# Emulated machines share what they fetched.
set_tests_properties(lab.kernel_wireguard lab.systemd lab.systemd_mesh PROPERTIES RESOURCE_LOCK emulated_machine)

# What the benchmark of the whole (tests/bench/powerdns.py) speaks PowerDNS's protocol with. The tests only show that the
# benchmarks run.
add_executable(powerdns_peer ${PROJECT_SOURCE_DIR}/tests/bench/powerdns_peer.cpp)
target_link_libraries(powerdns_peer PRIVATE project_options)
# Fifty edges for tests/bench/certificates.py, and the store of tests/bench/tenants.py.
add_executable(edges_peer ${PROJECT_SOURCE_DIR}/tests/bench/edges_peer.cpp)
target_link_libraries(edges_peer PRIVATE acme.edge)
add_executable(tenants_store ${PROJECT_SOURCE_DIR}/tests/bench/tenants_store.cpp)
target_link_libraries(tenants_store PRIVATE dns-backend.store dns-backend.tenants dns-backend.zone_file acme.schema
  acme.keyring acme.crypto OpenSSL::Crypto)
add_test(NAME bench.powerdns COMMAND python3 ${PROJECT_SOURCE_DIR}/tests/bench/powerdns.py --smoke
  --out ${CMAKE_BINARY_DIR}/powerdns.json)
set_tests_properties(bench.powerdns PROPERTIES LABELS "bench;quiet" TIMEOUT 300 RUN_SERIAL ON
  ENVIRONMENT "NAVIGATOR=${SOVEREIGN_BIN}/navigator;POWERDNS_PEER=$<TARGET_FILE:powerdns_peer>;PYTHONDONTWRITEBYTECODE=1")
add_test(NAME bench.steering COMMAND python3 ${PROJECT_SOURCE_DIR}/tests/bench/steering.py --smoke
  --out ${CMAKE_BINARY_DIR}/steering.json)
set_tests_properties(bench.steering PROPERTIES LABELS "bench;quiet" TIMEOUT 300 RUN_SERIAL ON
  ENVIRONMENT "NAVIGATOR=${SOVEREIGN_BIN}/navigator;PYTHONDONTWRITEBYTECODE=1")
add_test(NAME bench.certificates COMMAND python3 ${PROJECT_SOURCE_DIR}/tests/bench/certificates.py --smoke
  --out ${CMAKE_BINARY_DIR}/certificates.json)
set_tests_properties(bench.certificates PROPERTIES LABELS "bench;quiet" TIMEOUT 300 RUN_SERIAL ON
  ENVIRONMENT "NAVIGATOR=${SOVEREIGN_BIN}/navigator;EDGES_PEER=$<TARGET_FILE:edges_peer>;PYTHONDONTWRITEBYTECODE=1")
add_test(NAME bench.sign_up COMMAND python3 ${PROJECT_SOURCE_DIR}/tests/bench/sign_up.py --smoke
  --binaries ${SOVEREIGN_BIN} --out ${CMAKE_BINARY_DIR}/sign_up.json)
set_tests_properties(bench.sign_up PROPERTIES LABELS "bench;quiet" TIMEOUT 300 RUN_SERIAL ON SKIP_RETURN_CODE 77
  ENVIRONMENT "PYTHONDONTWRITEBYTECODE=1")
add_test(NAME bench.keys COMMAND python3 ${PROJECT_SOURCE_DIR}/tests/bench/keys.py --smoke
  --out ${CMAKE_BINARY_DIR}/keys.json)
set_tests_properties(bench.keys PROPERTIES LABELS "bench;quiet" TIMEOUT 300 RUN_SERIAL ON
  ENVIRONMENT "NAVIGATOR=${SOVEREIGN_BIN}/navigator;TENANTS_STORE=$<TARGET_FILE:tenants_store>;PYTHONDONTWRITEBYTECODE=1")
add_test(NAME bench.tenants COMMAND python3 ${PROJECT_SOURCE_DIR}/tests/bench/tenants.py --smoke
  --out ${CMAKE_BINARY_DIR}/tenants.json)
set_tests_properties(bench.tenants PROPERTIES LABELS "bench;quiet" TIMEOUT 300 RUN_SERIAL ON
  ENVIRONMENT "NAVIGATOR=${SOVEREIGN_BIN}/navigator;TENANTS_STORE=$<TARGET_FILE:tenants_store>;PYTHONDONTWRITEBYTECODE=1")
# One text for all who wait: a copy for each of 200 clients would take 14 MB here.
add_test(NAME bench.handing_out COMMAND python3 ${PROJECT_SOURCE_DIR}/tests/bench/handing_out.py --nodes 300
  --clients 200 --changes 2 --gzip 0 --bar-mb 10)
set_tests_properties(bench.handing_out PROPERTIES LABELS "bench;quiet" TIMEOUT 300 RUN_SERIAL ON
  ENVIRONMENT "PRIVATEER=${SOVEREIGN_BIN}/privateer;PYTHONDONTWRITEBYTECODE=1")
