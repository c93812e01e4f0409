//! How colours look to people, those with colour-blindness included.

/// Red, green and blue.
pub(crate) type Color = [u8; 3];

/// `#0072B2`.
pub(crate) fn parse(text: &str) -> Option<Color> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
    Some([red, green, blue])
}

/// Of WCAG 2: 1 for the same luminance, 21 for black on white.
pub(crate) fn contrast(one: Color, other: Color) -> f64 {
    let luminance = |color| {
        let [red, green, blue] = light(color);
        0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05
    };
    let (one, other) = (luminance(one), luminance(other));
    one.max(other) / one.min(other)
}

/// The least difference (CIE 1976) between two of these colours, for the eyes that see least of it.
pub(crate) fn least_difference(colors: &[Color]) -> f64 {
    let pairs = colors.iter().enumerate();
    let pairs =
        pairs.flat_map(|(place, one)| colors[..place].iter().map(move |other| (*one, *other)));
    let differences = pairs.flat_map(|(one, other)| {
        EYES.map(|eyes| {
            let sides = seen(eyes, one).into_iter().zip(seen(eyes, other));
            sides
                .map(|(one, other)| (one - other).powi(2))
                .sum::<f64>()
                .sqrt()
        })
    });
    differences.fold(f64::MAX, f64::min)
}

/// CIE L*a*b* of what these eyes see.
fn seen(eyes: Matrix, color: Color) -> [f64; 3] {
    let light = times(eyes, light(color)).map(|share| share.clamp(0.0, 1.0));
    let [x, y, z] = times(XYZ, light).map(|share| {
        if share > 0.008_856 {
            share.cbrt()
        } else {
            7.787 * share + 16.0 / 116.0
        }
    });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// Shares of red, green and blue light.
fn light(color: Color) -> [f64; 3] {
    color.map(|byte| {
        let share = f64::from(byte) / 255.0;
        if share <= 0.040_45 {
            share / 12.92
        } else {
            ((share + 0.055) / 1.055).powf(2.4)
        }
    })
}

type Matrix = [[f64; 3]; 3];

fn times(matrix: Matrix, light: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| {
        row.iter()
            .zip(light)
            .map(|(factor, share)| factor * share)
            .sum()
    })
}

/// From sRGB to XYZ, each divided by that of white.
const XYZ: Matrix = [
    [0.433_953, 0.376_219, 0.189_828],
    [0.212_673, 0.715_152, 0.072_175],
    [0.017_758, 0.109_477, 0.872_765],
];

/// Ordinary ones, and those without red, green and blue cones (Machado, Oliveira and Fernandes 2009, severity 1).
const EYES: [Matrix; 4] = [
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    [
        [0.152_286, 1.052_583, -0.204_868],
        [0.114_503, 0.786_281, 0.099_216],
        [-0.003_882, -0.048_116, 1.051_998],
    ],
    [
        [0.367_322, 0.860_646, -0.227_968],
        [0.280_085, 0.672_501, 0.047_413],
        [-0.011_820, 0.042_940, 0.968_881],
    ],
    [
        [1.255_528, -0.076_749, -0.178_779],
        [-0.078_411, 0.930_809, 0.147_602],
        [0.004_733, 0.691_367, 0.303_900],
    ],
];

#[test]
fn the_measures_know_black_on_white_and_red_beside_green() {
    assert!((contrast([0, 0, 0], [255, 255, 255]) - 21.0).abs() < 0.01);
    let yellow = contrast([240, 228, 66], [255, 255, 255]);
    assert!((yellow - 1.3).abs() < 0.05, "{yellow}");
    // The first two colours of these pictures until version 0.1.0.
    let red_and_green = least_difference(&[[230, 25, 75], [60, 180, 75]]);
    assert!(red_and_green < 10.0, "{red_and_green}");
    assert!(least_difference(&[[0, 0, 0], [255, 255, 255]]) > 90.0);
}
