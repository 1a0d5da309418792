# cmake --install build/release --prefix /usr: the programs, their manual pages and completions, their units and
# the users that these name.
install(TARGETS navigator privateer RUNTIME DESTINATION bin)
file(GLOB units ${PROJECT_SOURCE_DIR}/packaging/systemd/*.service ${PROJECT_SOURCE_DIR}/packaging/systemd/*.path)
install(FILES ${units} DESTINATION lib/systemd/system)
foreach(user navigator privateer)
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/${user}.sysusers DESTINATION lib/sysusers.d
    RENAME ${user}.conf)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/privateer.tmpfiles DESTINATION lib/tmpfiles.d
  RENAME privateer.conf)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/polkit/privateer.rules DESTINATION share/polkit-1/rules.d
  RENAME 50-privateer.rules)

# The programs tell of themselves what man and the shells are to know.
foreach(program navigator privateer)
  install(CODE "
    set(share \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share\")
    function(told file)
      get_filename_component(folder \"\${file}\" DIRECTORY)
      file(MAKE_DIRECTORY \"\${folder}\")
      execute_process(COMMAND \"$<TARGET_FILE:${program}>\" \${ARGN} OUTPUT_FILE \"\${file}\" COMMAND_ERROR_IS_FATAL ANY)
      message(STATUS \"Installing: \${file}\")
    endfunction()
    told(\"\${share}/man/man8/${program}.8\" manual)
    told(\"\${share}/bash-completion/completions/${program}\" completion bash)
    told(\"\${share}/zsh/site-functions/_${program}\" completion zsh)
  ")
endforeach()
