# The library's floors, lowest first: a floor sees its own folder and lower ones (cmake/check_floors.cmake).
set(floors base json kernels graph ops autodiff rewrite language unfold fold reference plan runtime evaluate io analysis draw
  layers train turing)
