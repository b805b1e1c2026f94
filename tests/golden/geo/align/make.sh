set -eu
warp() { # input output method "W S E N" side, further options
    name=$2; gdalwarp -q -overwrite -et 0 -r "$3" -t_srs EPSG:4326 -te $4 -tr $5 $5 \
        -co COMPRESS=DEFLATE ${6:-} "$1" "$name"
}
Q="-ot Float64 -dstnodata nan"
for method in near bilinear average; do
    warp sinusoidal.tif sinusoidal_$method.tif $method "96.2 33.5 97.1 34.2" 0.05 "$Q"
    warp cmg.tif cmg_crop_$method.tif $method "95.4 32.6 97.1 33.9" 0.05 "$Q"
    warp cmg.tif cmg_coarse_$method.tif $method "95 32 98 34.4" 0.1 "$Q"
    warp etopo5.tif etopo5_$method.tif $method "95.5 33 97.5 34.5" 0.05 "$Q"
done
warp sinusoidal.tif sinusoidal_beyond_average.tif average "95.2 33 97.6 34.8" 0.1 "$Q"
for method in near mode; do
    warp sinusoidal_classes.tif sinusoidal_classes_$method.tif $method "96.2 33.5 97.1 34.2" 0.05
done
warp landcover.tif landcover_mode.tif mode "99 32 103 35" 0.25
warp landcover.tif landcover_beyond_mode.tif mode "98.5 31.5 103 35" 0.25
