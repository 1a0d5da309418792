# module(NAME ... ) declares one module: its folder, its sources, and the only place where its arrows are written.
#
#   module(dns-backend/store SOURCES snapshot.cpp DEPENDS base/database dns-backend/dns LIBRARIES SQLiteCpp)
#
# NAME is the folder and, with dots for slashes, the target. DEPENDS are modules whose headers it may include; the
# edge list goes to ${CMAKE_BINARY_DIR}/module_edges.txt, which tests/tidy holds against every #include.
# LIBRARIES are outside libraries. Tests of a module live in tests/NAME/*_test.cpp and link this module alone, so
# that a call into a module nobody declared does not link.
file(WRITE ${CMAKE_BINARY_DIR}/module_edges.txt "")

function(module name)
  cmake_parse_arguments(M "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  string(REPLACE "/" "." target ${name})
  list(TRANSFORM M_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/${name}/)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${name}/*.hpp)
  add_library(${target} STATIC ${M_SOURCES} ${headers})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${target} PUBLIC project_options)
  string(APPEND edges "${name}:")
  foreach(dependency IN LISTS M_DEPENDS)
    string(REPLACE "/" "." dependency_target ${dependency})
    target_link_libraries(${target} PUBLIC ${dependency_target})
    string(APPEND edges " ${dependency}")
  endforeach()
  file(APPEND ${CMAKE_BINARY_DIR}/module_edges.txt "${edges}\n")
  target_link_libraries(${target} PUBLIC ${M_LIBRARIES})
  precompiled(${target})
  module_tests(${name} ${target})
endfunction()

# program(NAME FOLDER ...) is a binary: a module whose main.cpp wires the others together.
function(program name folder)
  cmake_parse_arguments(P "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  module(${folder} SOURCES ${P_SOURCES} DEPENDS ${P_DEPENDS} LIBRARIES ${P_LIBRARIES})
  string(REPLACE "/" "." target ${folder})
  add_executable(${name} ${PROJECT_SOURCE_DIR}/${folder}/main.cpp)
  target_link_libraries(${name} PRIVATE ${target})
  precompiled(${name})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

function(module_tests name target)
  if(NOT SOVEREIGN_TESTS)
    return()
  endif()
  file(GLOB tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/${name}/*_test.cpp)
  if(tests)
    add_executable(${target}.test ${tests})
    target_link_libraries(${target}.test PRIVATE ${target} GTest::gmock GTest::gtest_main)
    precompiled(${target}.test)
    target_compile_definitions(${target}.test PRIVATE SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME unit.${target} COMMAND ${target}.test --gtest_brief=1 WORKING_DIRECTORY ${CMAKE_BINARY_DIR})
    set_tests_properties(unit.${target} PROPERTIES LABELS unit TIMEOUT 300)
  endif()
  module_fuzz(${name} ${target})
  module_bench(${name} ${target})
endfunction()

# tests/fuzz/<name with dots>.<parser>_fuzz.cpp: one target per parser. Under g++ the corpus and a bounded number of
# mutations run as a plain test; the same file links with libFuzzer under clang.
function(module_fuzz name target)
  file(GLOB fuzzers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/fuzz/${target}.*_fuzz.cpp)
  # A further dot is a module below this one.
  string(REPLACE "." "\\." stem ${target})
  list(FILTER fuzzers INCLUDE REGEX "/${stem}\\.[^./]+_fuzz\\.cpp$")
  foreach(source IN LISTS fuzzers)
    get_filename_component(fuzzer ${source} NAME_WE)
    get_filename_component(stem ${source} NAME)
    string(REPLACE "_fuzz.cpp" "" stem ${stem})
    add_executable(fuzz.${stem} ${source} ${PROJECT_SOURCE_DIR}/tests/fuzz/driver.cpp)
    target_link_libraries(fuzz.${stem} PRIVATE ${target})
    precompiled(fuzz.${stem})
    add_test(NAME fuzz.${stem} COMMAND fuzz.${stem} ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${stem})
    set_tests_properties(fuzz.${stem} PROPERTIES LABELS fuzz TIMEOUT 1800)
  endforeach()
endfunction()

# tests/bench/<name with dots>_bench.cpp: Google Benchmark, built with -DSOVEREIGN_BENCH=ON (preset bench), run by hand.
function(module_bench name target)
  set(source ${PROJECT_SOURCE_DIR}/tests/bench/${target}_bench.cpp)
  if(SOVEREIGN_BENCH AND EXISTS ${source})
    add_executable(${target}.bench ${source})
    target_link_libraries(${target}.bench PRIVATE ${target} benchmark::benchmark_main)
  endif()
endfunction()
