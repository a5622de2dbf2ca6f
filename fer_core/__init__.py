"""FER Live's library: faces and their expressions in pictures, clips and live video."""
