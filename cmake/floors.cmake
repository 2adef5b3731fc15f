# The library's floors, lowest first: a floor sees its own folder and lower ones (cmake/check_floors.cmake).
set(floors base kernels graph ops passes plan reference recurrence exec io analysis draw layers train turing)
